-- Open breaks by category: of the latest reconciliation of each business date, an invoice counted once.
SELECT item.category, count(DISTINCT item.invoice_key)
FROM (
    SELECT DISTINCT ON (business_date) reconciliation_id, breaks
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = 'date'
    ORDER BY business_date, reconciliation_id DESC
) AS latest
JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
WHERE latest.breaks > 0 AND item.category <> 'matched' AND item.pending_until IS NULL
GROUP BY item.category
