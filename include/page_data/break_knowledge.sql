-- What an empty list of breaks stands on: a ledger that shows no row opens none, and what waits has opened none yet.
SELECT
    newest.reconciliation_id IS NOT NULL AS is_compared,
    CASE WHEN newest.reasons @> '[{"word": "ledger_empty"}]' THEN newest.business_date END AS ledger_empty_on,
    (SELECT count(*) FROM ropo.break_backlog WHERE profile = %(profile)s) AS waiting
FROM (VALUES (true)) AS always
LEFT JOIN (
    SELECT reconciliation_id, business_date, reasons
    FROM ropo.reconciliation
    WHERE profile = %(profile)s
    ORDER BY reconciliation_id DESC
    LIMIT 1
) AS newest ON true
