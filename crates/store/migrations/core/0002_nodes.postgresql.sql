-- The journal by months: a month's rows go as a whole. Nobody has journaled on PostgreSQL before this
-- step; if somebody had, it stops here. That first_idx names one row is held by the lock of
-- ledger_head, under which every row is inserted with the next index.
DO $$ BEGIN
    IF EXISTS (SELECT 1 FROM entry_chunk) THEN
        RAISE EXCEPTION 'entry_chunk is not empty' USING ERRCODE = '55000';
    END IF;
END $$;
CREATE TABLE entry_chunk_by_month (
    LIKE entry_chunk INCLUDING DEFAULTS,
    CONSTRAINT entry_chunk_by_month_pkey PRIMARY KEY (first_idx, month)
) PARTITION BY LIST (month);
DROP TABLE entry_chunk;
ALTER TABLE entry_chunk_by_month RENAME TO entry_chunk;
ALTER TABLE entry_chunk RENAME CONSTRAINT entry_chunk_by_month_pkey TO entry_chunk_pkey;
-- What is sealed or hashed has no pattern: trying to compress it only costs time.
ALTER TABLE entry_chunk ALTER COLUMN commitments SET STORAGE EXTERNAL;
ALTER TABLE entry_chunk ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE request_batch ALTER COLUMN items SET STORAGE EXTERNAL;
ALTER TABLE job_part ALTER COLUMN sealed SET STORAGE EXTERNAL;
