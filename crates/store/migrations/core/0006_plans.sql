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
