-- Equal rows of one answer are one row in quarantine. Without a `statusid` they are as many events, so it says how many.
-- Of those from before nobody has counted them.
ALTER TABLE ropo.status_quarantine
    ADD COLUMN equal_rows integer NOT NULL DEFAULT 1 CHECK (equal_rows > 0);   -- the most that one answer had
