-- What is sealed has no pattern: trying to compress it only costs time.
ALTER TABLE unit_event ALTER COLUMN sealed SET STORAGE EXTERNAL;
