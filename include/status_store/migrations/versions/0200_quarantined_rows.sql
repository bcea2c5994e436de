-- Equal rows of one answer are one row in quarantine. Without a `statusid` they are as many events, so it says how many:
-- the most that one answer had. Of those from before nobody has counted them.
-- A row that a re-read brought first may have been drained since: its event is no sign of another consumer then.
ALTER TABLE ropo.status_quarantine
    ADD COLUMN equal_rows integer NOT NULL DEFAULT 1 CHECK (equal_rows > 0),
    ADD COLUMN drained_poll_id bigint REFERENCES ropo.status_poll (poll_id);   -- the first drain poll that showed it
UPDATE ropo.status_quarantine AS bad
SET drained_poll_id = poll.poll_id
FROM ropo.status_poll AS poll
WHERE poll.poll_id = bad.poll_id AND poll.kind = 'drain';
