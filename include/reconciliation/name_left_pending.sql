-- What the newest full comparison of a date left pending, and whose grace is over since: where nothing has looked at the
-- invoice after it and no date shows the difference, it is looked at with the full comparison's date, where that has been
-- compared itself. A ledger that shows nothing at all says nothing of any invoice.
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT newest.business_date, item.invoice_key, item.jobid, item.billnum, true, false
FROM ropo.reconciled_date AS newest
JOIN ropo.reconciliation AS compared USING (reconciliation_id)
JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
WHERE newest.profile = %(profile)s AND newest.scope = 'full' AND newest.business_date BETWEEN %(first)s AND %(last)s
    AND NOT ropo.is_blind(compared.reasons)
    AND EXISTS (
        SELECT
        FROM ropo.reconciled_date AS date
        WHERE date.profile = newest.profile AND date.business_date = newest.business_date AND date.scope = 'date'
    )
    AND item.category <> 'matched' AND item.pending_until <= %(now)s
    AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation_item AS other
        WHERE other.profile = %(profile)s AND other.invoice_key = item.invoice_key
            AND (
                other.reconciliation_id > item.reconciliation_id
                OR other.category <> 'matched' AND other.reconciliation_id IN (
                    SELECT reconciliation_id FROM ropo.reconciled_date WHERE profile = %(profile)s AND scope = 'date'
                )
            )
    )
