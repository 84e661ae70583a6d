-- What is sealed has no pattern: trying to compress it only costs time.
ALTER TABLE dossier ALTER COLUMN sealed SET STORAGE EXTERNAL;
ALTER TABLE dossier_version ALTER COLUMN sealed SET STORAGE EXTERNAL;
