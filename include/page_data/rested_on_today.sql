-- The breaks that a month's signature rests on with the columns of ropo.break_today: what was accepted as it was then, and the
-- rest as of today.
SELECT
    today.profile, today.break_id, today.invoice_key, today.billnum, today.jobid, today.category, rested_on.reason,
    today.state, today.severity, today.age_days, today.business_date, rested_on.currency, rested_on.amount,
    rested_on.evidence, today.first_seen, today.last_seen, today.times_seen, today.last_reconciliation_id,
    rested_on.accepted_at, rested_on.accepted_by, rested_on.accepted_note, today.resolved_at
FROM ({rested_on}) AS rested_on
JOIN ropo.break_today AS today USING (break_id)
