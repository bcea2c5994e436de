-- The signed months that opening an accepted break again would change: whose newest sign-off rests on it, or that it dates from.
SELECT signed.period, signed.signed_by, signed.countersigned_by
FROM (
    SELECT DISTINCT ON (period) period, signed_by, countersigned_by, evidence
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
) AS signed
JOIN ropo.reconciliation_break AS known ON known.break_id = %(break_id)s
WHERE signed.evidence -> 'breaks' @> to_jsonb(known.break_id)
    OR signed.period = date_trunc('month', known.business_date)::date
ORDER BY signed.period
