-- What the newest reconciliations recorded of one invoice, the newest first.
SELECT
    item.reconciliation_id, found.business_date, found.started_at, found.ledger_cutoff,
    found.dag_id, found.run_id,
    item.billnum, item.jobid, item.category, item.reason, item.hint, item.pending_until, item.is_accepted,
    item.ropo_status, item.ledger_status, item.ledger_word, item.ledger_row_count, item.currency,
    item.ropo_paid, item.ropo_discount, item.ledger_total, item.ledger_paid, item.ledger_discount,
    item.ledger_credited, item.ledger_open, item.further
FROM ropo.reconciliation_item AS item
JOIN ropo.reconciliation AS found USING (reconciliation_id)
WHERE item.profile = %(profile)s AND item.invoice_key = %(invoice_key)s
ORDER BY item.reconciliation_id DESC
LIMIT %(limit)s
