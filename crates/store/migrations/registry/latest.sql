-- The whole schema of registry.db as it is now. Numbered migrations lead here; a test proves it.
-- One citizen, sealed. Associated data: table, id, version, key number.
CREATE TABLE person (
    id @BIGKEY@,
    key_number INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL
);
-- Keyed digests by which a citizen is found: kind 1 personal id, 2 old id, 3 folded name + year.
-- Several epochs stand side by side while keys are rotated. Old ids are not unique.
CREATE TABLE person_key (
    kind INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    digest @BYTES@ NOT NULL,
    person BIGINT NOT NULL,
    PRIMARY KEY (digest, kind, epoch, person)
) @CLUSTERED@;
-- Households with their members' ids and roles, sealed.
CREATE TABLE household (
    id @BIGKEY@,
    key_number INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL
);
-- What was loaded: seed, counts, times.
CREATE TABLE registry_meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) @CLUSTERED@;
