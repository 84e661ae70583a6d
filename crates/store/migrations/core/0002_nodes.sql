-- Transactions of all nodes so far.
ALTER TABLE ledger_head ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
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
-- Keys (docs/keys.md): which master key wrapped each, when it was made and retired; a retired key's
-- wrapped bytes are gone. Which key of its month sealed a chunk. At most one rotation is under way.
ALTER TABLE crypto_key ADD COLUMN master TEXT;
ALTER TABLE crypto_key ADD COLUMN made_at BIGINT;
ALTER TABLE crypto_key ADD COLUMN retired_at BIGINT;
ALTER TABLE entry_chunk ADD COLUMN key_number INTEGER NOT NULL DEFAULT 0;
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
