-- What follows a live connection. Each part stands under its heading.
-- Gathering (B8).
-- Monthly statements (A7).
-- Statements as they were made, sealed; never changed. year and number: the number; version counts
-- those of a system's month (yyyymm).
CREATE TABLE statement (
    year INTEGER NOT NULL,
    number INTEGER NOT NULL,
    system BIGINT NOT NULL REFERENCES system (id),
    month INTEGER NOT NULL,
    version INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL,
    PRIMARY KEY (year, number)
) @CLUSTERED@;
CREATE UNIQUE INDEX statement_of_month ON statement (system, month, version);
-- Months that are done, with the right edge of the tree over the journal up to their end.
CREATE TABLE statement_month (
    month INTEGER NOT NULL,
    tree_size BIGINT NOT NULL,
    peaks @BYTES@ NOT NULL,
    PRIMARY KEY (month)
) @CLUSTERED@;
-- Files of dossiers (B2, B7).
-- Webhooks.
-- Further.
