-- People with an account of the portal. Who that is, roles and secrets stand sealed; login, unit and
-- personal id are found by keyed digests. session_number names the one session in force, epoch the generation of
-- rights in which sessions live, revision counts the changes of the row; code_failures and
-- code_failed_at (machine clock) count wrong one-time codes over all nodes. locked: for security (D6);
-- leads: head or deputy on some day. By these two nobody else's record is opened to find them.
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
    leads INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX portal_person_of_unit ON portal_person (unit, id);
CREATE INDEX portal_person_locked ON portal_person (id) WHERE locked = 1;
CREATE INDEX portal_person_leads ON portal_person (unit, id) WHERE leads = 1;
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
