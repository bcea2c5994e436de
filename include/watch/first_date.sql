-- The market's day on which each profile's work began: its first poll or the earliest date that was reconciled.
-- A date before `then` that was reconciled only since, as by a backfill, says nothing of it yet; without it each date does.
SELECT
    asked.profile,
    LEAST(
        (SELECT (pinned_at AT TIME ZONE asked.zone)::date FROM ropo.profile_pin AS pin WHERE pin.profile = asked.profile),
        (
            SELECT min(business_date)
            FROM ropo.reconciliation AS found
            WHERE found.profile = asked.profile AND found.scope = 'date'
                AND (
                    found.started_at <= COALESCE(%(then)s::timestamptz, 'infinity')
                    OR found.business_date >= (%(then)s::timestamptz AT TIME ZONE asked.zone)::date
                )
        ),
        %(since)s::date
    ) AS began
FROM unnest(%(profiles)s::text[], %(zones)s::text[]) AS asked (profile, zone)
