-- The same with one line that everybody counts on.
\set person random(1, 100000)
BEGIN;
SELECT sealed FROM person WHERE id = :person;
UPDATE line_day SET used = used + 1 WHERE line = 1 AND day = current_date AND used < 1000000000;
INSERT INTO audit (line, person, entry) VALUES (1, :person, decode(repeat('5a', 250), 'hex'));
COMMIT;
