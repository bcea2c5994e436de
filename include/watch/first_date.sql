-- The market's day on which each profile's work began: its first poll or the earliest date that was reconciled.
SELECT
    asked.profile,
    least(
        (SELECT (pinned_at AT TIME ZONE asked.zone)::date FROM ropo.profile_pin AS pin WHERE pin.profile = asked.profile),
        (
            SELECT min(business_date)
            FROM ropo.reconciliation AS found
            WHERE found.profile = asked.profile AND found.scope = 'date'
        ),
        %(since)s::date
    ) AS began
FROM unnest(%(profiles)s::text[], %(zones)s::text[]) AS asked (profile, zone)
