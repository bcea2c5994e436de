-- One reconciliation's items, in an order that does not depend on the database's language.
SELECT
    billnum, jobid, category, reason, pending_until, currency,
    ropo_status, ledger_status, ledger_word,
    ropo_paid, ropo_discount, ledger_total, ledger_paid, ledger_discount, ledger_credited, ledger_open,
    event_count, ledger_row_count, caused_on, grace_until, hint, invoice_key
FROM ropo.reconciliation_item
WHERE reconciliation_id = %(reconciliation_id)s
ORDER BY invoice_key COLLATE "C"
