-- The breaks of a reconciliation with the most at stake: what the two sides differ by, else the invoice's total.
-- Amounts of several currencies are set in one order, never added.
SELECT billnum, jobid, category, reason, currency, amount, ropo_status, ledger_status
FROM ropo.reconciliation_item
CROSS JOIN LATERAL (
    SELECT abs(
        coalesce(ropo_paid, 0) + coalesce(ropo_discount, 0) - coalesce(ledger_paid, 0) - coalesce(ledger_discount, 0)
    ) AS difference
) AS sides
CROSS JOIN LATERAL (
    SELECT CASE WHEN difference <> 0 THEN difference ELSE abs(coalesce(ledger_total, ropo_paid, 0)) END AS amount
) AS stake
WHERE reconciliation_id = %(reconciliation_id)s AND category <> 'matched' AND pending_until IS NULL
ORDER BY amount DESC, invoice_key
LIMIT %(most)s
