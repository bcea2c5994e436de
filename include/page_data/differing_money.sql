-- The money of a reconciliation's differing items, by currency; what its totals have beyond that is of invoices that agree.
SELECT
    currency,
    COALESCE(sum(ropo_paid), 0) AS ropo_paid,
    COALESCE(sum(ropo_discount), 0) AS ropo_discount,
    COALESCE(sum(ledger_paid), 0) AS ledger_paid,
    COALESCE(sum(ledger_discount), 0) AS ledger_discount
FROM ropo.reconciliation_item
WHERE reconciliation_id = %(reconciliation_id)s AND category <> 'matched'
GROUP BY currency
