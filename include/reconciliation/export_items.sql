-- One reconciliation's items; the program adds which of them, and their order.
SELECT
    item.billnum, item.jobid, item.category, item.reason, item.pending_until,
    CASE WHEN item.is_accepted THEN 'yes' END AS accepted, item.currency,
    item.ropo_status, item.ledger_status, item.ledger_word,
    item.ropo_paid, item.ropo_discount, item.ledger_total, item.ledger_paid, item.ledger_discount, item.ledger_credited,
    item.ledger_open, item.event_count, item.ledger_row_count, item.caused_on, item.grace_until, item.hint,
    item.invoice_key, item.further
FROM ropo.reconciliation_item AS item
WHERE item.reconciliation_id = %(reconciliation_id)s
