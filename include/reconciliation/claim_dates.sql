-- In one order, so that two that claim several dates cannot deadlock.
INSERT INTO ropo.reconciled_date (profile, business_date, scope, rules_version, checked_at)
SELECT %(profile)s, business_date, %(scope)s, %(rules_version)s, %(now)s
FROM unnest(%(dates)s::date[]) AS wanted (business_date)
ORDER BY business_date
ON CONFLICT (profile, business_date, scope) DO UPDATE
-- Where the ledger shows nothing, nothing was looked at: what was to be looked at waits for the next comparison.
SET rules_version = CASE WHEN %(is_blind)s THEN reconciled_date.rules_version ELSE excluded.rules_version END,
    checked_at = CASE WHEN %(is_blind)s THEN reconciled_date.checked_at ELSE excluded.checked_at END
