-- What is sealed has no pattern: trying to compress it only costs time.
ALTER TABLE notice ALTER COLUMN sealed SET STORAGE EXTERNAL;
