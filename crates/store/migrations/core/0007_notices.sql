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
