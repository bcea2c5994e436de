-- Earlier business dates to re-read: the last `late_days`, and those of the recheck that their newest re-read has not shown
-- whole; the newest first.
SELECT day.business_date, day.business_date >= %(late_from)s AS is_late
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS each (moment)
CROSS JOIN LATERAL (SELECT each.moment::date AS business_date) AS day
WHERE day.business_date >= %(late_from)s
   OR (
       -- From when the profile's work began: its first poll, or the earliest date that was reconciled.
       day.business_date >= (
           SELECT LEAST(
               (SELECT (pinned_at AT TIME ZONE %(timezone)s)::date FROM ropo.profile_pin WHERE profile = %(profile)s),
               (SELECT min(business_date) FROM ropo.reconciliation WHERE profile = %(profile)s AND scope = 'date')
           )
       )
       AND NOT EXISTS (
           SELECT
           FROM ropo.reconciled_date AS looked
           JOIN ropo.reconciliation AS newest USING (reconciliation_id)
           WHERE looked.profile = %(profile)s AND looked.business_date = day.business_date AND looked.scope = 'date'
             AND newest.verdict = 'reconciled'
       )
       -- The newest, which the comparison rests on where it was answered (pick_recheck.sql). One that failed is asked again
       -- too: nobody knows whether such a poll takes what it was to show out of the queue.
       AND NOT COALESCE((
           SELECT
               newest.outcome IN ('landed', 'empty') AND newest.absent_count = 0
               AND (NOT newest.possibly_cut OR newest.shown_complete)
               AND newest.opened_at >= (day.business_date + 1)::timestamp AT TIME ZONE %(timezone)s
           FROM ropo.status_poll AS newest
           WHERE newest.profile = %(profile)s AND newest.kind = 'date' AND newest.filter_value = day.business_date::text
             AND newest.outcome <> 'open'
           ORDER BY newest.poll_id DESC
           LIMIT 1
       ), false)
   )
ORDER BY day.business_date DESC
