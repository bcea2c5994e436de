-- Every break with its age and severity today, by the calendar of its market; of a resolved one, on the day it was resolved.
-- Each market's today is computed once, behind the OFFSET, and not for every break; the thresholds are those of
-- ropo.break_severity, written out because PostgreSQL would call that function once a row.
CREATE OR REPLACE VIEW ropo.break_today AS
SELECT
    found.*,
    aged.age_days,
    CASE
        WHEN found.amount >= policy.high_amount OR aged.age_days >= policy.high_age_days THEN 'high'::ropo.severity
        WHEN found.amount >= policy.medium_amount OR aged.age_days >= policy.medium_age_days THEN 'medium'::ropo.severity
        ELSE 'low'::ropo.severity
    END AS severity
FROM ropo.reconciliation_break AS found
JOIN (
    SELECT break_policy.*, (now() AT TIME ZONE timezone)::date AS today
    FROM ropo.break_policy
    OFFSET 0
) AS policy USING (profile)
CROSS JOIN LATERAL (
    SELECT GREATEST(
        CASE
            WHEN found.resolved_at IS NULL THEN policy.today
            ELSE (found.resolved_at AT TIME ZONE policy.timezone)::date
        END - found.business_date,
        0
    ) AS age_days
) AS aged;

-- A break that is seen again, unchanged, is written anew within its page, and no index is touched.
ALTER TABLE ropo.reconciliation_break SET (fillfactor = 80);
