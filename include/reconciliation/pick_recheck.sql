-- The business dates to compare again: the last ones, since either side may have recorded something late; and of those
-- before them each that is missing, whose newest verdict is not reconciled or rests on breaks that were accepted, that was
-- compared by other rules (the status map, the tolerance), of which events have come since it was compared, be it with other
-- content, of which a full comparison has left something (name_left_pending.sql), or whose invoices ought to have been spoken
-- of by now. Of dates before all these, as a backfill takes, those that have something pending still and were recorded
-- lately. Each with the re-read that says most.
WITH revised AS MATERIALIZED (
    -- The day that an event had, and the one that it has.
    SELECT dated.business_date, max(revision.recorded_at) AS recorded_at
    FROM ropo.status_event_revision AS revision
    JOIN ropo.status_event AS event ON event.profile = revision.profile AND event.statusid = revision.statusid
    CROSS JOIN LATERAL (VALUES (event.statustime::date), (revision.statustime::date)) AS dated (business_date)
    WHERE revision.profile = %(profile)s AND revision.recorded_at > (
        SELECT min(checked_at) - interval '1 hour'
        FROM ropo.reconciled_date
        WHERE profile = %(profile)s AND scope = 'date' AND business_date BETWEEN %(first)s AND %(last)s
    )
    GROUP BY dated.business_date
)
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
FROM (
    SELECT moment::date AS business_date
    FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS each (moment)
    UNION
    SELECT recorded.business_date
    FROM ropo.reconciliation AS recorded
    JOIN ropo.reconciled_date USING (profile, business_date, scope, reconciliation_id)   -- the date's newest
    WHERE recorded.profile = %(profile)s AND recorded.view_at >= %(recorded_from)s AND recorded.scope = 'date'
      AND recorded.pending > 0 AND recorded.business_date >= %(start)s AND recorded.business_date < %(first)s
) AS day
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
        SELECT LEAST(
            (SELECT (pinned_at AT TIME ZONE %(timezone)s)::date FROM ropo.profile_pin WHERE profile = %(profile)s),
            (SELECT min(business_date) FROM ropo.reconciliation WHERE profile = %(profile)s AND scope = 'date')
        )
    )
    ELSE newest.verdict <> 'reconciled'
        OR newest.accepted > 0
        OR looked.rules_version <> %(rules_version)s
        OR day.business_date >= %(late_from)s
        OR day.business_date IN (SELECT business_date FROM named_invoice)
        OR EXISTS (
            SELECT
            FROM ropo.event_day AS late
            WHERE late.profile = %(profile)s AND late.day = day.business_date
                -- The moment is when their transaction began, and the comparison may not have seen them.
                AND late.seen_at > looked.checked_at - interval '1 hour'
        )
        OR EXISTS (
            SELECT
            FROM revised
            WHERE revised.business_date = day.business_date
                AND revised.recorded_at > looked.checked_at - interval '1 hour'
        )
        OR (
            %(first_event_days)s > 0
            AND (day.business_date + %(first_event_days)s)::timestamp AT TIME ZONE %(timezone)s <= %(now)s
            -- An hour more than the day, for the change of the clock.
            AND looked.checked_at
                < (day.business_date + %(first_event_days)s + 1)::timestamp AT TIME ZONE %(timezone)s + interval '1 hour'
        )
END
ORDER BY day.business_date
