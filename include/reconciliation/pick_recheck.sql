-- The business dates to compare again: those that are missing, whose newest verdict is not reconciled or rests on breaks
-- that were accepted, that were compared under another version of the status map, or of which something was recorded late;
-- each with the re-read that says most.
SELECT
    day.business_date,
    newest.reconciliation_id,
    newest.verdict,
    newest.reasons,
    newest.population,
    newest.matched,
    newest.pending,
    newest.breaks,
    newest.accepted,
    reread.poll_id AS reread_poll_id
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS each (moment)
CROSS JOIN LATERAL (SELECT each.moment::date AS business_date) AS day
LEFT JOIN ropo.reconciled_date AS looked
    ON looked.profile = %(profile)s AND looked.business_date = day.business_date AND looked.scope = 'date'
LEFT JOIN ropo.reconciliation AS newest ON newest.reconciliation_id = looked.reconciliation_id
LEFT JOIN LATERAL (
    -- The newest that was answered and judged; else the newest, so that its failure can be named.
    SELECT poll.poll_id
    FROM ropo.status_poll AS poll
    WHERE poll.profile = %(profile)s AND poll.kind = 'date' AND poll.filter_value = day.business_date::text
      AND poll.outcome <> 'open'
    ORDER BY poll.outcome IN ('landed', 'empty') AND poll.absent_count IS NOT NULL DESC, poll.poll_id DESC
    LIMIT 1
) AS reread ON true
WHERE CASE
    -- A date is missing from when the profile's work began: its first poll, or the earliest date that was reconciled.
    WHEN newest.reconciliation_id IS NULL THEN day.business_date >= (
        SELECT least(
            (SELECT (pinned_at AT TIME ZONE %(timezone)s)::date FROM ropo.profile_pin WHERE profile = %(profile)s),
            (SELECT min(business_date) FROM ropo.reconciliation WHERE profile = %(profile)s AND scope = 'date')
        )
    )
    ELSE newest.verdict <> 'reconciled'
        OR newest.accepted > 0
        OR looked.status_map_version <> %(version)s
        OR (
            day.business_date >= %(late_from)s
            AND EXISTS (
                SELECT
                FROM ropo.status_event AS event
                WHERE event.profile = %(profile)s
                  AND event.statustime >= day.business_date AND event.statustime < day.business_date + 1
                  -- What was about to be committed when the date was compared may be a little older.
                  AND (
                      event.first_seen_at > looked.checked_at - interval '15 minutes'
                      OR EXISTS (
                          SELECT
                          FROM ropo.status_event_revision AS revision
                          WHERE revision.profile = event.profile AND revision.statusid = event.statusid
                            AND revision.recorded_at > looked.checked_at - interval '15 minutes'
                      )
                  )
            )
        )
END
ORDER BY day.business_date
