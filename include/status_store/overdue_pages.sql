-- Whole answers whose texts are over age: by the day that they were asked for, by the oldest row that they show, where that is
-- noted (touched_dates.py), else by the day on which they came. An answer to a question by invoice number may show rows of any
-- age, and nobody needs its texts once they are in events.
SELECT page.poll_id, page.body, page.body_encoding, page.complete
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE poll.profile = %(profile)s AND page.poll_id > %(after)s
  AND page.has_texts AND page.removed_at IS NULL
  AND (
      page.received_at < %(before)s
      OR poll.kind = 'billnum'
      OR page.touched_dates[1] < %(older_than)s
      OR (poll.kind = 'date' AND poll.filter_value < %(older_than)s::text)
  )
  AND CASE
      WHEN page.complete THEN page.parsed_at IS NOT NULL
      -- What came of a broken answer of the queue stays until its doubt is settled; the other polls can be repeated.
      ELSE poll.kind <> 'drain' OR poll.recovery IN ('recovered', 'accepted')
  END
ORDER BY page.poll_id
LIMIT %(limit)s
FOR UPDATE OF page SKIP LOCKED
