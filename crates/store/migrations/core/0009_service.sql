-- What follows a live connection. Each part stands under its heading.
-- Gathering (B8).
-- When a focal point urged a unit: once a day.
CREATE TABLE gathering_urged (
    focal TEXT NOT NULL,
    unit TEXT NOT NULL,
    day TEXT NOT NULL,
    at BIGINT NOT NULL,
    made_by BIGINT NOT NULL,
    PRIMARY KEY (focal, unit, day)
) @CLUSTERED@;
-- Summaries that were handed up the line, sealed, with the digest of what each says; of one day version by version.
CREATE TABLE gathering_handed (
    id @BIGKEY@,
    focal TEXT NOT NULL,
    day TEXT NOT NULL,
    version INTEGER NOT NULL,
    at BIGINT NOT NULL,
    made_by BIGINT NOT NULL,
    digest @BYTES@ NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE UNIQUE INDEX gathering_handed_day ON gathering_handed (focal, day, version);
-- To whom: one or two units, or the centre, which has no code.
CREATE TABLE gathering_receiver (
    receiver TEXT NOT NULL,
    handed BIGINT NOT NULL REFERENCES gathering_handed (id),
    PRIMARY KEY (receiver, handed)
) @CLUSTERED@;
-- Monthly statements (A7).
-- Files of dossiers (B2, B7).
-- Webhooks.
-- Further.
