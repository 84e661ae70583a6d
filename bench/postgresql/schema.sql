-- What a gateway that keeps its counts and its audit in ordinary tables has: people, lines, audit.
CREATE TABLE person (id bigint PRIMARY KEY, sealed bytea NOT NULL);
CREATE TABLE line_day (line integer, day date, used bigint NOT NULL, PRIMARY KEY (line, day));
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    line integer NOT NULL,
    person bigint NOT NULL,
    entry bytea NOT NULL
);
-- A record of the size of ours; 100,000 of them.
INSERT INTO person
SELECT i, decode(repeat(md5(i::text), 20), 'hex') FROM generate_series(1, 100000) AS i;
INSERT INTO line_day SELECT i, current_date, 0 FROM generate_series(1, 1000) AS i;
