-- Earlier business dates to re-read. First the last `late_days`, the newest first. Then of the recheck those that no re-read
-- has shown well enough, which one that was asked longest ago leads: where an answer is cut each night, the others have
-- their turn.
SELECT day.business_date, day.business_date >= %(late_from)s AS is_late
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS each (moment)
CROSS JOIN LATERAL (
    SELECT
        each.moment::date AS business_date,
        EXISTS (
            SELECT
            FROM ropo.reconciled_date AS looked
            JOIN ropo.reconciliation AS newest USING (reconciliation_id)
            WHERE looked.profile = %(profile)s AND looked.business_date = each.moment::date AND looked.scope = 'date'
              AND newest.verdict = 'reconciled'
        ) AS is_reconciled
) AS day
-- The newest, which the comparison rests on where it was answered (pick_recheck.sql). One that failed is asked again too,
-- of a date that is reconciled as well: nobody knows whether such a poll takes what it was to show out of the queue.
LEFT JOIN LATERAL (
    SELECT
        newest.outcome IN ('landed', 'empty')
        AND CASE
            -- What was recorded until its last late night was looked for.
            WHEN day.is_reconciled THEN
                newest.opened_at >= (day.business_date + 1 + %(late_days)s)::timestamp AT TIME ZONE %(timezone)s
            ELSE
                newest.absent_count = 0
                AND (NOT newest.possibly_cut OR newest.shown_complete)
                AND newest.opened_at >= (day.business_date + 1)::timestamp AT TIME ZONE %(timezone)s
        END AS is_enough
    FROM ropo.status_poll AS newest
    WHERE newest.profile = %(profile)s AND newest.kind = 'date' AND newest.filter_value = day.business_date::text
      AND newest.outcome <> 'open' AND NOT (day.is_reconciled AND newest.outcome IN ('unsent', 'refused'))
    ORDER BY newest.poll_id DESC
    LIMIT 1
) AS newest ON true
WHERE day.business_date >= %(late_from)s
   OR (
       -- From when the profile's work began: its first poll, or the earliest date that was reconciled.
       day.business_date >= (
           SELECT LEAST(
               (SELECT (pinned_at AT TIME ZONE %(timezone)s)::date FROM ropo.profile_pin WHERE profile = %(profile)s),
               (SELECT min(business_date) FROM ropo.reconciliation WHERE profile = %(profile)s AND scope = 'date')
           )
       )
       AND NOT COALESCE(newest.is_enough, day.is_reconciled)
   )
ORDER BY
    is_late DESC,
    CASE WHEN day.business_date < %(late_from)s THEN (
        SELECT max(asked.poll_id)
        FROM ropo.status_poll AS asked
        WHERE asked.profile = %(profile)s AND asked.kind = 'date' AND asked.filter_value = day.business_date::text
    ) END NULLS FIRST,
    day.business_date DESC
