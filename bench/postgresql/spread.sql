-- Select, count and audit in one transaction, over 1,000 lines.
\set person random(1, 100000)
\set line random(1, 1000)
BEGIN;
SELECT sealed FROM person WHERE id = :person;
UPDATE line_day SET used = used + 1 WHERE line = :line AND day = current_date AND used < 1000000000;
INSERT INTO audit (line, person, entry) VALUES (:line, :person, decode(repeat('5a', 250), 'hex'));
COMMIT;
