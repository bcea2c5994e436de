-- Bodies that nobody needs any more. Journal row, hash and size stay. Only rows of status_page are locked, and only such
-- as no drain writes again.
WITH due AS (
    SELECT page.poll_id
    FROM ropo.status_page AS page
    JOIN ropo.status_poll AS poll USING (poll_id)
    WHERE poll.profile = %(profile)s AND page.received_at < %(before)s AND page.removed_at IS NULL
      AND CASE
          -- What came of a broken answer of the queue is evidence until its doubt is settled.
          WHEN NOT page.complete THEN poll.kind <> 'drain' OR poll.recovery IN ('recovered', 'accepted')
          ELSE NOT EXISTS (
              SELECT
              FROM ropo.status_quarantine AS bad
              WHERE bad.profile = %(profile)s AND bad.poll_id = page.poll_id AND bad.resolved_at IS NULL
          )
          AND page.touched_dates IS NOT NULL
          AND NOT EXISTS (
              SELECT
              FROM unnest(page.touched_dates) AS touched (business_date)
              -- Dates before the start are never reconciled.
              WHERE touched.business_date >= %(start)s
                AND 'reconciled' IS DISTINCT FROM (
                    SELECT latest.verdict
                    FROM ropo.reconciliation AS latest
                    WHERE latest.profile = %(profile)s AND latest.scope = 'date'
                      AND latest.business_date = touched.business_date
                    ORDER BY latest.reconciliation_id DESC
                    LIMIT 1
                )
          )
      END
    ORDER BY page.poll_id
    LIMIT %(limit)s
    FOR UPDATE OF page SKIP LOCKED
)
UPDATE ropo.status_page AS page
SET size = COALESCE(size, octet_length(body)), body = NULL, has_texts = false, removed_at = clock_timestamp()
FROM due
WHERE page.poll_id = due.poll_id
