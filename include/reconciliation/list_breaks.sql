SELECT
    break_id, profile, invoice_key, billnum, jobid, category, reason, state, severity, age_days, business_date,
    currency, amount, first_seen, last_seen, times_seen, accepted_by, accepted_note
FROM ropo.break_today
WHERE profile = %(profile)s
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND (%(category)s::text IS NULL OR category = %(category)s)
    AND (%(severity)s::ropo.severity IS NULL OR severity = %(severity)s)
    AND (%(billnum)s::text IS NULL OR billnum = %(billnum)s)
ORDER BY severity DESC, amount DESC, break_id
LIMIT %(limit)s
