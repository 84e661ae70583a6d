-- Connection dossiers (B1-B3). What they say stands sealed: the whole in sealed, what a list shows of
-- one in summary. stage and since are as within; revision counts the changes of the row.
CREATE TABLE dossier (
    id @BIGKEY@,
    unit TEXT NOT NULL,
    system BIGINT,
    stage INTEGER NOT NULL,
    since BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    summary @BYTES@ NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX dossier_of_unit ON dossier (unit, id);
CREATE INDEX dossier_of_stage ON dossier (stage, since, id);
CREATE INDEX dossier_of_system ON dossier (system, id);
-- A dossier as it was submitted, each time.
CREATE TABLE dossier_version (
    dossier BIGINT NOT NULL REFERENCES dossier (id),
    version INTEGER NOT NULL,
    at BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL,
    PRIMARY KEY (dossier, version)
) @CLUSTERED@;
-- What happened to a dossier, for who works on it; the record of it is the journal.
CREATE TABLE dossier_event (
    dossier BIGINT NOT NULL REFERENCES dossier (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL,
    PRIMARY KEY (dossier, number)
) @CLUSTERED@;
-- Why a connection went live the first time (B3): its dossier, or a recorded exemption with evidence and
-- approver, sealed. One that was registered before this was kept has none.
CREATE TABLE system_clearance (
    system @BIGKEY@ REFERENCES system (id),
    ground TEXT NOT NULL,
    dossier BIGINT,
    sealed @BYTES@ NOT NULL
);
