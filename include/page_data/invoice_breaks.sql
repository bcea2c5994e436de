-- One invoice's breaks, those that stand first.
SELECT
    break_id, category, reason, state, business_date, currency, amount, first_seen, last_seen, times_seen, age_days,
    severity::text AS severity, accepted_at, accepted_by, accepted_note, resolved_at
FROM ropo.break_today
WHERE profile = %(profile)s AND invoice_key = %(invoice_key)s
ORDER BY state = 'resolved', break_id DESC
