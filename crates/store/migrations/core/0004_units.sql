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
-- Whether somebody holds a role of the centre on some day; 1 until the row is written again, so
-- that rows of before are looked at. By it nobody else's record is opened to find them.
ALTER TABLE portal_person ADD COLUMN centre INTEGER NOT NULL DEFAULT 1;
CREATE INDEX portal_person_centre ON portal_person (id) WHERE centre = 1;
