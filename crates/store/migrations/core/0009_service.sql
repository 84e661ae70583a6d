-- What follows a live connection. Each part stands under its heading.
-- Gathering (B8).
-- Monthly statements (A7).
-- Files of dossiers (B2, B7).
-- Webhooks.
-- Further.
-- Addresses from which mail came back, by their keyed digests: nobody enters one anew for a while.
CREATE TABLE mail_bounce (
    digest @BYTES@ NOT NULL PRIMARY KEY,
    bounced_at BIGINT NOT NULL
) @CLUSTERED@;
-- Appeals against locks (D6): what is said stands sealed. lock_key: what is locked, by row id.
-- state: 0 made, 1 acknowledged, 2 decided. due_at: of the next step. escalated: steps of which it
-- was told that they are late. Of one lock only one appeal is open.
CREATE TABLE lock_appeal (
    id @BIGKEY@,
    lock_key TEXT NOT NULL,
    state INTEGER NOT NULL,
    due_at BIGINT NOT NULL,
    escalated INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE UNIQUE INDEX lock_appeal_open ON lock_appeal (lock_key) WHERE state < 2;
CREATE INDEX lock_appeal_of_lock ON lock_appeal (lock_key, id);
CREATE INDEX lock_appeal_late ON lock_appeal (due_at) WHERE state < 2;
