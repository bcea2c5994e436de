-- What a list of breaks stands on: a ledger that shows no row opens none, and what waits has opened none yet. One row
-- a profile.
SELECT
    asked.profile,
    newest.reconciliation_id IS NOT NULL AS is_compared,
    CASE WHEN ropo.is_blind(newest.reasons) THEN newest.business_date END AS ledger_empty_on,
    (SELECT count(*) FROM ropo.break_backlog AS waiting WHERE waiting.profile = asked.profile) AS waiting
FROM unnest(%(profiles)s::text[]) AS asked (profile)
LEFT JOIN LATERAL (
    SELECT reconciliation_id, business_date, reasons
    FROM ropo.reconciliation AS found
    WHERE found.profile = asked.profile
    ORDER BY reconciliation_id DESC
    LIMIT 1
) AS newest ON true
