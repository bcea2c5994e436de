-- Another consumer of the queue: an event that a re-read or a question by invoice number showed, that no drain brought,
-- before or after, and that no doubt covers. Nothing is told of those that a drain has shown in another form
-- (shown_by_drains.py), so it is said of each row how to find it there.
INSERT INTO ropo.undrained_event (profile, statusid, shown_by_poll_id, empty_poll_id)
SELECT event.profile, event.statusid, event.first_poll_id, after.poll_id
FROM ropo.status_event AS event
CROSS JOIN LATERAL (
    -- The queue had it, if it had it at all, in one of the drains that ended with this 204: it was asked after the event
    -- was shown, so that a change which was only just recorded has had its drain.
    SELECT poll.poll_id
    FROM ropo.status_poll AS poll
    WHERE poll.profile = event.profile AND poll.kind = 'drain' AND poll.outcome = 'empty'
      AND poll.poll_id > event.first_poll_id
    ORDER BY poll.poll_id
    LIMIT 1
) AS after
WHERE event.profile = %(profile)s
  AND event.source <> 'drain'
  AND event.drained_poll_id IS NULL
  -- What is dated before our first 204, or on its day, may have left the queue before it was ours.
  AND event.statustime >= (
      SELECT ((poll.opened_at AT TIME ZONE %(zone)s)::date + 1)::timestamp
      FROM ropo.status_poll AS poll
      WHERE poll.profile = %(profile)s AND poll.kind = 'drain' AND poll.outcome = 'empty'
      ORDER BY poll.poll_id
      LIMIT 1
  )
  -- A re-read may itself take what it shows out of the queue (nobody knows). So a drain must have completed before it,
  -- too, after the event's day was over: only what was recorded between that 204 and the re-read can then be mistaken
  -- (kinds_that_leave.sql: whether it can).
  AND EXISTS (
      SELECT FROM ropo.status_poll AS poll
      WHERE poll.profile = event.profile AND poll.kind = 'drain' AND poll.outcome = 'empty'
        AND poll.poll_id < event.first_poll_id
        AND poll.opened_at >= (event.statustime::date + 1)::timestamp AT TIME ZONE %(zone)s
  )
  -- A doubtful poll, before or after it was shown, may have lost it.
  AND NOT EXISTS (
      SELECT FROM ropo.status_poll AS doubt
      WHERE doubt.profile = event.profile AND doubt.recovery IS NOT NULL
        AND event.statustime::date BETWEEN doubt.window_from AND doubt.window_to
  )
  -- It may stand in a page of a drain that waits for its replay.
  AND NOT EXISTS (
      SELECT FROM ropo.status_page AS page
      JOIN ropo.status_poll AS poll USING (poll_id)
      WHERE poll.profile = event.profile AND poll.kind = 'drain' AND page.complete AND page.parsed_at IS NULL
  )
ORDER BY event.statusid
ON CONFLICT DO NOTHING
RETURNING
    statusid, shown_by_poll_id, empty_poll_id,
    (
        SELECT sha256(convert_to(event.raw::text, 'UTF8'))
        FROM ropo.status_event AS event
        WHERE event.profile = undrained_event.profile AND event.statusid = undrained_event.statusid
    ) AS sha256
