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
-- Webhooks (D2, D3, E3): addresses at which a system's own software is told. The address and its secrets
-- stand sealed; kinds: one bit of each kind of event. state: 0 in use, 1 paused, 2 switched off.
-- failing_since, failures, rest_until, told: how it does of late.
CREATE TABLE webhook (
    id @BIGKEY@,
    system BIGINT NOT NULL REFERENCES system (id),
    kinds BIGINT NOT NULL,
    state INTEGER NOT NULL,
    failing_since BIGINT,
    failures INTEGER NOT NULL,
    rest_until BIGINT NOT NULL,
    told INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX webhook_of_system ON webhook (system, id);
-- What is to be sent to one, about a notice or, without one, as a test. state: 0 waits, 1 delivered,
-- 2 given up. outcome: status of HTTP of the last try, below 100 why there was none; ms: how long it took.
CREATE TABLE webhook_delivery (
    id @BIGKEY@,
    webhook BIGINT NOT NULL REFERENCES webhook (id),
    notice BIGINT,
    kind INTEGER NOT NULL,
    made_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL DEFAULT 0,
    outcome INTEGER,
    ms BIGINT,
    tried_at BIGINT,
    ended_at BIGINT
);
CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (webhook, notice);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook, due_at, id) WHERE state = 0;
CREATE INDEX webhook_delivery_of ON webhook_delivery (webhook, id);
CREATE INDEX webhook_delivery_ended ON webhook_delivery (ended_at) WHERE ended_at IS NOT NULL;
