-- What is sealed has no pattern: trying to compress it only costs time.
ALTER TABLE portal_person ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE raise_request ALTER COLUMN sealed SET STORAGE EXTERNAL;
