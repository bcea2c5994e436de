-- A row's JSON as it came: its order, its spelling and the digits of its numbers. `jsonb` kept none of them, refused a
-- number out of all measure in a field that nobody reads, and cost an eighth of a page's time.
ALTER TABLE ropo.status_event ALTER COLUMN raw TYPE json;
ALTER TABLE ropo.status_event_revision ALTER COLUMN raw TYPE json;

-- Pages whose events are not in the store: they could not be parsed, or their process ended before. What came after the
-- newest 204 counts only where it could not be parsed: a drain is at it, or it is as if it were in the queue still.
CREATE VIEW ropo.page_to_replay AS
SELECT poll.profile, page.poll_id, page.received_at, page.parse_error
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.complete AND page.parsed_at IS NULL
  AND (
      page.parse_error IS NOT NULL
      OR EXISTS (
          SELECT FROM ropo.status_poll AS later
          WHERE later.profile = poll.profile AND later.kind = 'drain' AND later.outcome = 'empty'
            AND later.poll_id > page.poll_id
      )
  );
