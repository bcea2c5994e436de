-- In one order, so that two that claim several dates cannot deadlock.
INSERT INTO ropo.reconciled_date (profile, business_date, scope, rules_version, checked_at)
SELECT %(profile)s, business_date, %(scope)s, %(rules_version)s, %(now)s
FROM unnest(%(dates)s::date[]) AS wanted (business_date)
ORDER BY business_date
ON CONFLICT (profile, business_date, scope) DO UPDATE
SET rules_version = excluded.rules_version, checked_at = excluded.checked_at
