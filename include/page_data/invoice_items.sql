-- What the newest reconciliations recorded of one invoice, the newest first.
SELECT
    item.reconciliation_id, found.business_date, found.scope, found.started_at,
    COALESCE(looked.checked_at, found.started_at) AS checked_at, found.ledger_cutoff,
    found.dag_id, found.run_id,
    item.billnum, item.jobid, item.category, item.reason, item.hint, item.pending_until, item.is_accepted,
    item.ropo_status, item.ledger_status, item.ledger_word, item.ledger_row_count, item.currency,
    item.ropo_paid, item.ropo_discount, item.ledger_total, item.ledger_paid, item.ledger_discount,
    item.ledger_credited, item.ledger_open, item.further,
    ropo.is_blind(found.reasons) AS is_blind
FROM ropo.reconciliation_item AS item
JOIN ropo.reconciliation AS found USING (reconciliation_id)
LEFT JOIN ropo.reconciled_date AS looked
    ON looked.profile = found.profile AND looked.business_date = found.business_date AND looked.scope = found.scope
    AND looked.reconciliation_id = found.reconciliation_id
WHERE item.profile = %(profile)s AND item.invoice_key = %(invoice_key)s
ORDER BY item.reconciliation_id DESC
LIMIT %(limit)s
