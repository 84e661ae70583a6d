-- What is sealed has no pattern: trying to compress it only costs time.
ALTER TABLE job_plan ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE account_changes ALTER COLUMN sealed SET STORAGE EXTERNAL;
