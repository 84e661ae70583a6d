-- The whole schema of search.db as it is now. Numbered migrations lead here; a test proves it.
-- Derived and rebuildable: sorted runs of (kind, digest, index), each over one range of the log.
CREATE TABLE run (
    id @BIGKEY@,
    level INTEGER NOT NULL,
    first_index BIGINT NOT NULL,
    end_index BIGINT NOT NULL,
    items BIGINT NOT NULL
);
-- Chunks of a run in key order; first_key = kind (1) + digest (16) + index (8) of its first item.
CREATE TABLE run_chunk (
    run BIGINT NOT NULL,
    first_key @BYTES@ NOT NULL,
    items @BYTES@ NOT NULL,
    PRIMARY KEY (run, first_key)
) @CLUSTERED@;
-- What the runs were made from, one row: the commitment of the last journal entry they cover.
CREATE TABLE run_origin (
    id INTEGER NOT NULL PRIMARY KEY,
    end_index BIGINT NOT NULL,
    commitment @BYTES@ NOT NULL
);
