-- Why a profile's breaks may be other than those that are recorded: one row.
SELECT
    newest.reconciliation_id IS NULL AS is_nothing_compared,
    COALESCE(newest.reasons @> '[{"word": "ledger_empty"}]', false) AS is_ledger_empty,
    EXISTS (SELECT FROM ropo.break_backlog WHERE profile = %(profile)s) AS has_backlog
FROM (SELECT 1) AS once
LEFT JOIN LATERAL (
    SELECT reconciliation_id, reasons
    FROM ropo.reconciliation
    WHERE profile = %(profile)s
    ORDER BY reconciliation_id DESC
    LIMIT 1
) AS newest ON true
