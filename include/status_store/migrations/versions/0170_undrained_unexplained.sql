-- Changes that another consumer of the queue must have taken. One that a drain or a replay brought after all, or that a
-- doubt marked since explains, stays on record in the table and is told no more.
CREATE VIEW ropo.undrained_unexplained AS
SELECT
    undrained.profile, undrained.statusid, event.billnum, event.jobid, event.statustype, event.statustime, event.source,
    undrained.shown_by_poll_id, undrained.empty_poll_id, undrained.noticed_at
FROM ropo.undrained_event AS undrained
JOIN ropo.status_event AS event USING (profile, statusid)
WHERE event.drained_poll_id IS NULL
  AND NOT EXISTS (
      SELECT FROM ropo.status_poll AS doubt
      WHERE doubt.profile = event.profile AND doubt.recovery IS NOT NULL
        AND event.statustime::date BETWEEN doubt.window_from AND doubt.window_to
  );
