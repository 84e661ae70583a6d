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
-- A file: what it is stands sealed. state: 0 comes in, 1 kept, 2 taken away. Its bytes stand in sealed
-- parts; the number of a part is that of its file * 1024 + its place.
CREATE TABLE kept_file (
    id @BIGKEY@,
    state INTEGER NOT NULL,
    begun_at BIGINT NOT NULL,
    dossier BIGINT REFERENCES dossier (id),
    system BIGINT REFERENCES system (id),
    bytes BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX kept_file_of_dossier ON kept_file (dossier, id) WHERE state = 1;
CREATE INDEX kept_file_coming ON kept_file (begun_at) WHERE state = 0;
CREATE TABLE kept_file_part (
    id @BIGKEY@,
    sealed @BYTES@ NOT NULL
);
-- Documents that the centre issued, numbered without a gap within kind and year; about: what each is
-- about, which is issued once.
CREATE TABLE issued_document (
    kind INTEGER NOT NULL,
    year INTEGER NOT NULL,
    number BIGINT NOT NULL,
    about TEXT NOT NULL UNIQUE,
    dossier BIGINT REFERENCES dossier (id),
    system BIGINT REFERENCES system (id),
    file BIGINT NOT NULL REFERENCES kept_file (id),
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (kind, year, number)
) @CLUSTERED@;
-- Paper copies of a dossier: number, day, place and receipt stand sealed.
CREATE TABLE paper_copy (
    id @BIGKEY@,
    dossier BIGINT NOT NULL REFERENCES dossier (id),
    sealed @BYTES@ NOT NULL
);
CREATE INDEX paper_copy_of_dossier ON paper_copy (dossier, id);
-- Individual commitments that a head confirmed with one signature: the list, and of each account the
-- last list that names it.
CREATE TABLE commitment_list (
    id @BIGKEY@,
    system BIGINT NOT NULL REFERENCES system (id),
    sealed @BYTES@ NOT NULL
);
CREATE TABLE commitment (
    account BIGINT NOT NULL PRIMARY KEY REFERENCES account (id),
    list BIGINT NOT NULL REFERENCES commitment_list (id)
) @CLUSTERED@;
-- Webhooks.
-- Further.
