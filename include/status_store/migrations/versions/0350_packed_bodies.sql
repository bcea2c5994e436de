-- Bodies come packed (`body_encoding`): PostgreSQL need not try to make them smaller still.
ALTER TABLE ropo.status_page ALTER COLUMN body SET STORAGE EXTERNAL;
