-- Campaigns (B4): what each asks for, sealed, and one row for each dossier of it. deadline and state
-- are as within sealed. Of one dossier only one row is not over.
CREATE TABLE campaign (
    id @BIGKEY@,
    sealed @BYTES@ NOT NULL
);
CREATE TABLE campaign_task (
    campaign BIGINT NOT NULL REFERENCES campaign (id),
    dossier BIGINT NOT NULL REFERENCES dossier (id),
    system BIGINT NOT NULL,
    state INTEGER NOT NULL,
    deadline TEXT NOT NULL,
    sealed @BYTES@ NOT NULL,
    PRIMARY KEY (campaign, dossier)
) @CLUSTERED@;
CREATE UNIQUE INDEX campaign_task_open ON campaign_task (dossier) WHERE state < 3;
