-- The market's day on which a profile's work began: its first poll or the earliest date that was reconciled.
SELECT least(
    (SELECT (pinned_at AT TIME ZONE %(zone)s)::date FROM ropo.profile_pin WHERE profile = %(profile)s),
    (SELECT min(business_date) FROM ropo.reconciliation WHERE profile = %(profile)s AND scope = 'date'),
    %(since)s::date
)
