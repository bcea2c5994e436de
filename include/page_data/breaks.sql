-- Breaks of a profile, as they are today. The page adds its conditions, order and limit.
SELECT
    break.break_id,
    break.invoice_key,
    break.billnum,
    break.jobid,
    break.category,
    break.reason,
    break.state,
    break.severity::text AS severity,
    break.age_days,
    break.business_date,
    break.currency,
    break.amount,
    break.evidence,
    break.first_seen,
    break.last_seen,
    break.times_seen,
    break.accepted_at,
    break.accepted_by,
    break.accepted_note,
    break.resolved_at
FROM ropo.break_today AS break
WHERE break.profile = %(profile)s
