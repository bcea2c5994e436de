INSERT INTO ropo.reconciliation_item (
    reconciliation_id, invoice_key, profile, billnum, jobid, category, reason, is_accepted, hint, caused_on,
    grace_from, grace_until, pending_until, ropo_status, ledger_status,
    ropo_payment, ropo_stage, ropo_end, ledger_payment, ledger_stage, ledger_end, ledger_word,
    event_count, ledger_row_count, further, currency, ropo_paid, ropo_discount,
    ledger_total, ledger_paid, ledger_discount, ledger_credited, ledger_open
)
SELECT
    %(reconciliation_id)s, invoice_key, %(profile)s, billnum, jobid, category, reason, is_accepted, hint, caused_on,
    grace_from, grace_until, pending_until, ropo_status, ledger_status,
    ropo_payment, ropo_stage, ropo_end, ledger_payment, ledger_stage, ledger_end, ledger_word,
    event_count, ledger_row_count, further, currency, ropo_paid, ropo_discount,
    ledger_total, ledger_paid, ledger_discount, ledger_credited, ledger_open
FROM item
JOIN part USING (invoice_key)
WHERE part.business_date = %(business_date)s
-- In the order of the key, so that its index grows at its end.
ORDER BY invoice_key
