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
