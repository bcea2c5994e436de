-- Pages of which nobody has noted yet which business dates they bear on: those past their retention, or those with texts that
-- show rows which were held already.
SELECT page.poll_id, page.body, page.body_encoding, page.received_at, page.parsed_at
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE poll.profile = %(profile)s AND page.poll_id > %(after)s
  AND (
      page.received_at < %(before)s
      OR (%(repeating)s AND page.has_texts AND poll.new_count < poll.row_count)
  )
  AND page.complete AND page.parsed_at IS NOT NULL AND page.removed_at IS NULL AND page.touched_dates IS NULL
ORDER BY page.poll_id
LIMIT %(limit)s
FOR UPDATE OF page SKIP LOCKED
