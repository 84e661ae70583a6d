-- The whole schema of core.db as it is now. Numbered migrations lead here; a test proves it.
-- Small facts of the folder: log origin, sandbox clock offset, when it was made.
CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) @CLUSTERED@;
-- Keys by purpose and period, wrapped by the master key that is named; a retired key's wrapped
-- bytes are gone.
CREATE TABLE crypto_key (
    purpose TEXT NOT NULL,
    period INTEGER NOT NULL,
    wrapped @BYTES@ NOT NULL,
    master TEXT,
    made_at BIGINT,
    retired_at BIGINT,
    PRIMARY KEY (purpose, period)
) @CLUSTERED@;

-- The head of the ledger, one row: each batch locks it first and stores it last.
CREATE TABLE ledger_head (
    id INTEGER NOT NULL PRIMARY KEY,
    next_index BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    policy_epoch BIGINT NOT NULL,
    -- Transactions of all nodes so far.
    generation BIGINT NOT NULL DEFAULT 0
);
-- PostgreSQL: what each transaction of a node changed, so that the other nodes take it over, and its
-- random id, asked for when the answer to COMMIT was lost. SQLite has one node and leaves it empty.
CREATE TABLE ledger_batch (
    generation @BIGKEY@,
    id @BYTES@ NOT NULL,
    first_idx BIGINT NOT NULL,
    changes @BYTES@ NOT NULL
);
-- Who does work that one node at a time may do, and until when by the database's clock. SQLite has
-- one node and leaves it empty.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder @BYTES@ NOT NULL,
    until_at BIGINT NOT NULL
) @CLUSTERED@;
-- The journal (T46 art. 8), append-only: entries of one commit and month, sealed together;
-- commitments = SHA-256(salt, entry) of each.
CREATE TABLE entry_chunk (
    first_idx @BIGKEY@,
    entries INTEGER NOT NULL,
    month INTEGER NOT NULL,
    commitments @BYTES@ NOT NULL,
    sealed @BYTES@ NOT NULL,
    key_number INTEGER NOT NULL DEFAULT 0
);
-- Request ids and used SOAP headers of a batch, packed; kept 24 hours.
CREATE TABLE request_batch (
    first_idx @BIGKEY@,
    at BIGINT NOT NULL,
    items @BYTES@ NOT NULL
);
-- What may be used once, on every node and after a restart, until the machine's clock has passed
-- until_at: SOAP headers whose request left no entry (kind 1, with the keyed digest of their body) and
-- client assertions (kind 2, RFC 7523).
CREATE TABLE used_once (
    kind INTEGER NOT NULL,
    mark @BYTES@ NOT NULL,
    body @BYTES@ NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (kind, mark)
) @CLUSTERED@;
CREATE INDEX used_once_until ON used_once (until_at);
-- Counts that decide (D2-D4), one row per line, account and plan with own count, and duty day.
CREATE TABLE line_day (
    duty_day INTEGER NOT NULL,
    line BIGINT NOT NULL,
    system BIGINT NOT NULL,
    off_hours INTEGER NOT NULL,
    used BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    exceedances BIGINT NOT NULL,
    exceeded_at BIGINT,
    episode_at BIGINT,
    refused_after BIGINT NOT NULL,
    PRIMARY KEY (duty_day, line)
) @CLUSTERED@;
CREATE TABLE account_day (
    duty_day INTEGER NOT NULL,
    account BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (duty_day, account)
) @CLUSTERED@;
CREATE TABLE plan_day (
    duty_day INTEGER NOT NULL,
    plan BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (duty_day, plan)
) @CLUSTERED@;
CREATE TABLE line_lock (
    line @BIGKEY@,
    system BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until_at BIGINT,
    connection INTEGER NOT NULL
);

-- What is registered. Secrets and personal data stand sealed.
CREATE TABLE system (
    id @BIGKEY@,
    code TEXT NOT NULL UNIQUE,
    unit TEXT NOT NULL,
    user_group INTEGER NOT NULL,
    state INTEGER NOT NULL,
    channel_exceptions TEXT NOT NULL,
    request_ids INTEGER NOT NULL,
    verify_shape INTEGER NOT NULL,
    lgsp_shape TEXT,
    credential_version INTEGER NOT NULL,
    access @BYTES@ NOT NULL
);
CREATE TABLE service_grant (
    system BIGINT NOT NULL REFERENCES system (id),
    service INTEGER NOT NULL,
    ma_tich_hop TEXT NOT NULL,
    fields BIGINT NOT NULL,
    PRIMARY KEY (system, service)
) @CLUSTERED@;
-- A line: system, service, window (0 in hours, 1 off hours), daily count (B5).
CREATE TABLE line (
    id @BIGKEY@,
    system BIGINT NOT NULL REFERENCES system (id),
    service INTEGER NOT NULL,
    off_hours INTEGER NOT NULL,
    daily BIGINT NOT NULL,
    UNIQUE (system, service, off_hours)
);
-- Temporary raises (D8). Who granted one and why stands sealed in the journal.
CREATE TABLE raise (
    id @BIGKEY@,
    line BIGINT NOT NULL REFERENCES line (id),
    extra BIGINT NOT NULL,
    approved_at BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL
);
-- Accounts (B6): login, officer code, citizen id and name are sealed.
CREATE TABLE account (
    id @BIGKEY@,
    system BIGINT NOT NULL REFERENCES system (id),
    kind INTEGER NOT NULL,
    state INTEGER NOT NULL,
    daily BIGINT NOT NULL,
    services INTEGER NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    plan BIGINT,
    sealed @BYTES@ NOT NULL
);
-- Values that clients send for everybody (E1): a name or an id, found by a keyed digest.
CREATE TABLE shared_officer (
    system BIGINT NOT NULL REFERENCES system (id),
    digest @BYTES@ NOT NULL,
    sealed @BYTES@ NOT NULL,
    account BIGINT NOT NULL REFERENCES account (id),
    until_day TEXT NOT NULL,
    PRIMARY KEY (system, digest)
) @CLUSTERED@;
-- Procedures with purpose, services and fields (A5, B10).
CREATE TABLE procedure (
    system BIGINT NOT NULL REFERENCES system (id),
    code TEXT NOT NULL,
    purpose TEXT,
    services INTEGER NOT NULL,
    fields BIGINT NOT NULL,
    valid_from TEXT,
    valid_to TEXT,
    case_required INTEGER NOT NULL,
    PRIMARY KEY (system, code)
) @CLUSTERED@;
-- Job plans (D5). Who agreed to one and why stands sealed in the journal.
CREATE TABLE plan (
    id @BIGKEY@,
    system BIGINT NOT NULL REFERENCES system (id),
    services INTEGER NOT NULL,
    in_hours INTEGER NOT NULL,
    off_hours INTEGER NOT NULL,
    own_count BIGINT,
    valid_from TEXT,
    valid_to TEXT
);

-- Jobs (D5): many questions inside an approved plan. The head (who asks, for which procedure and
-- case) stands sealed; holder and lease_until name the node that works on it.
CREATE TABLE job (
    id @BYTES@ NOT NULL PRIMARY KEY,
    system BIGINT NOT NULL,
    state INTEGER NOT NULL,
    reason INTEGER NOT NULL,
    until_at BIGINT,
    request @BYTES@ NOT NULL,
    body @BYTES@ NOT NULL,
    head @BYTES@ NOT NULL,
    row_count BIGINT NOT NULL,
    items BIGINT NOT NULL,
    bad BIGINT NOT NULL,
    matched BIGINT NOT NULL,
    no_match BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    scan BIGINT NOT NULL,
    submitted_at BIGINT NOT NULL,
    started_at BIGINT,
    changed_at BIGINT NOT NULL,
    ended_at BIGINT,
    journal_index BIGINT NOT NULL,
    journal_from BIGINT NOT NULL,
    holder @BYTES@ NOT NULL,
    lease_until BIGINT NOT NULL,
    -- Of its rows as they came in, sealed; counted until the job is gone.
    bytes BIGINT NOT NULL DEFAULT 0,
    -- When somebody last worked on it; 0 = nobody yet.
    served_at BIGINT NOT NULL DEFAULT 0
) @CLUSTERED@;
CREATE INDEX job_of_system ON job (system, submitted_at);
-- What is to be done, and what is to be deleted, among all that is kept.
CREATE INDEX job_of_state ON job (state, ended_at);
-- Whose turn it is: the system that was served least recently.
CREATE INDEX job_served ON job (system, served_at);
-- Rows of a job, some hundred sealed together: 1 to be asked, 2 results, 3 not readable. Deleted 7
-- days after the job's end.
CREATE TABLE job_part (
    job @BYTES@ NOT NULL,
    kind INTEGER NOT NULL,
    first_row BIGINT NOT NULL,
    last_row BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL,
    PRIMARY KEY (job, kind, first_row)
);
-- The rotation of keys under way, at most one.
CREATE TABLE key_rotation (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    old_period INTEGER NOT NULL,
    new_period INTEGER NOT NULL,
    next_row BIGINT NOT NULL,
    upto BIGINT NOT NULL,
    done BIGINT NOT NULL,
    started_at BIGINT NOT NULL
);

-- People with an account of the portal. Who that is, roles and secrets stand sealed; login, unit and
-- personal id are found by keyed digests. session_number names the one session in force, epoch the generation of
-- rights in which sessions live, revision counts the changes of the row; code_failures and
-- code_failed_at (machine clock) count wrong one-time codes over all nodes. locked: for security (D6);
-- leads: head or deputy on some day; centre: a role of the centre on some day, 1 until the row is
-- written again. By these three nobody else's record is opened to find them.
CREATE TABLE portal_person (
    id @BIGKEY@,
    login @BYTES@ NOT NULL UNIQUE,
    unit @BYTES@ NOT NULL,
    epoch BIGINT NOT NULL,
    session_number BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL,
    personal_id @BYTES@,
    code_failures BIGINT NOT NULL DEFAULT 0,
    code_failed_at BIGINT NOT NULL DEFAULT 0,
    locked INTEGER NOT NULL DEFAULT 0,
    leads INTEGER NOT NULL DEFAULT 0,
    centre INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX portal_person_of_unit ON portal_person (unit, id);
CREATE INDEX portal_person_locked ON portal_person (id) WHERE locked = 1;
CREATE INDEX portal_person_leads ON portal_person (unit, id) WHERE leads = 1;
CREATE INDEX portal_person_centre ON portal_person (id) WHERE centre = 1;
CREATE INDEX portal_person_of_personal_id ON portal_person (personal_id, id);
-- Sessions by the digest of their cookie; times by the machine's clock.
CREATE TABLE portal_session (
    mark @BYTES@ NOT NULL PRIMARY KEY,
    person BIGINT NOT NULL REFERENCES portal_person (id),
    began_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL
) @CLUSTERED@;
CREATE INDEX portal_session_of_person ON portal_session (person, began_at);
CREATE INDEX portal_session_began ON portal_session (began_at);
-- What happened to a person's account lately, shown to the person; the record of it is the journal.
-- Failures (1) are numbered apart, so that they push nothing else out.
CREATE TABLE portal_event (
    person BIGINT NOT NULL REFERENCES portal_person (id),
    failure INTEGER NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL,
    PRIMARY KEY (person, failure, number)
) @CLUSTERED@;

-- Temporary raises that a head asks for (D8); what is asked and answered stands sealed.
CREATE TABLE raise_request (
    id @BIGKEY@,
    system BIGINT NOT NULL,
    state INTEGER NOT NULL,
    to_at BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX raise_request_of_system ON raise_request (system, id);
CREATE INDEX raise_request_of_state ON raise_request (state, id);
-- Announcements and maintenance windows: public, hence in clear.
CREATE TABLE announcement (
    id @BIGKEY@,
    kind INTEGER NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT,
    made_by BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    ended_at BIGINT
);
-- What the operator of an agency's own software is told of a revocation and confirms (E3). The
-- login stands sealed.
CREATE TABLE revocation_notice (
    id @BIGKEY@,
    system BIGINT NOT NULL,
    person BIGINT NOT NULL,
    made_by BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    confirmed_by BIGINT,
    confirmed_at BIGINT,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX revocation_notice_of_system ON revocation_notice (system, confirmed_at);
CREATE INDEX revocation_notice_of_person ON revocation_notice (person, id);
-- Who suspended a registered account (E3): bit 0 the head of its unit, bit 1 the centre. One that is
-- suspended and stands not here was suspended by the centre before this was kept.
CREATE TABLE account_suspension (
    account @BIGKEY@ REFERENCES account (id),
    sides INTEGER NOT NULL
);
CREATE INDEX account_of_system ON account (system, id);
-- Who last gave a person a new password (0) or their word for a lost factor (1), and when (E2).
CREATE TABLE portal_help (
    person BIGINT NOT NULL REFERENCES portal_person (id),
    kind INTEGER NOT NULL,
    made_by BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (person, kind)
) @CLUSTERED@;
-- When a credential of a system was last used; each node writes it now and then, to the hour.
CREATE TABLE credential_use (
    system BIGINT NOT NULL,
    number BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (system, number)
) @CLUSTERED@;
-- What happened to units (B4, B9): the tree of a day follows from the events up to it. What
-- happened stands sealed: it may name people. own: told by the unit itself. carried: whether what
-- was live has gone to the heir; until then a merge or split waits for its day.
CREATE TABLE unit_event (
    id @BIGKEY@,
    unit TEXT NOT NULL,
    day TEXT NOT NULL,
    made_by BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    own INTEGER NOT NULL,
    carried INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX unit_event_waits ON unit_event (day, id) WHERE carried = 0;
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
-- Job plans from their announcement on (D5): what was announced, decided and by whom stands sealed. to_day: the
-- last duty day. What an agreed one registers stands in plan, and its hours here, as minutes of the duty day;
-- a plan without a row covers the whole of its windows.
CREATE TABLE job_plan (
    id @BIGKEY@,
    system BIGINT NOT NULL,
    state INTEGER NOT NULL,
    to_day BIGINT NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX job_plan_of_system ON job_plan (system, id);
CREATE INDEX job_plan_open ON job_plan (to_day, id) WHERE state <= 2;
CREATE TABLE plan_clock (
    plan @BIGKEY@ REFERENCES plan (id),
    in_from INTEGER,
    in_to INTEGER,
    off_from INTEGER,
    off_to INTEGER
);
-- Account lists that a system sent (B6): the newest of a system waits for the head. The list stands sealed.
CREATE TABLE account_changes (
    id @BIGKEY@,
    system BIGINT NOT NULL,
    state INTEGER NOT NULL,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX account_changes_of_system ON account_changes (system, id);
-- What people are told (D3, D6, E3): written with the act that it is about, handed out afterwards.
-- What is said and to whom stands sealed; mark: what is told once only.
CREATE TABLE notice (
    id @BIGKEY@,
    mark @BYTES@ UNIQUE,
    made_at BIGINT NOT NULL,
    spread INTEGER NOT NULL DEFAULT 0,
    sealed @BYTES@ NOT NULL
);
CREATE INDEX notice_to_spread ON notice (id) WHERE spread = 0;
-- Who reads a notice, as what, and when it was read.
CREATE TABLE notice_reader (
    person BIGINT NOT NULL REFERENCES portal_person (id),
    notice BIGINT NOT NULL REFERENCES notice (id),
    side INTEGER NOT NULL,
    read_at BIGINT,
    PRIMARY KEY (person, notice)
) @CLUSTERED@;
CREATE INDEX notice_reader_unread ON notice_reader (person, notice) WHERE read_at IS NULL;
CREATE INDEX notice_reader_of_notice ON notice_reader (notice);
-- Mail to be sent to a person: about a notice, or with the code of a new address (notice 0). daily:
-- gathered into one mail. state: 0 waits, 1 sent, 2 given up, 3 without an address.
CREATE TABLE mail_job (
    id @BIGKEY@,
    person BIGINT NOT NULL REFERENCES portal_person (id),
    notice BIGINT NOT NULL,
    daily INTEGER NOT NULL,
    made_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    state INTEGER NOT NULL DEFAULT 0,
    ended_at BIGINT
);
CREATE INDEX mail_job_due ON mail_job (daily, due_at, id) WHERE state = 0;
CREATE INDEX mail_job_daily ON mail_job (person, id) WHERE state = 0 AND daily = 1;
CREATE INDEX mail_job_given_up ON mail_job (id) WHERE state = 2;
CREATE INDEX mail_job_of_person ON mail_job (person, notice);
CREATE INDEX mail_job_ended ON mail_job (ended_at) WHERE ended_at IS NOT NULL;
-- Where a person is mailed, and how: the address and what is known of it stand sealed.
CREATE TABLE portal_contact (
    person BIGINT NOT NULL PRIMARY KEY REFERENCES portal_person (id),
    sealed @BYTES@ NOT NULL
) @CLUSTERED@;
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
