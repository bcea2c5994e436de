-- What does not match in those reconciliations.
SELECT
    reconciliation.business_date,
    item.billnum,
    item.category,
    item.ropo_status,
    item.ledger_status,
    item.ropo_paid,
    item.ledger_paid,
    item.currency
FROM ropo.reconciliation_item AS item
JOIN ropo.reconciliation USING (reconciliation_id)
WHERE reconciliation_id = ANY(%(reconciliations)s) AND item.category <> 'matched'
ORDER BY reconciliation.business_date, item.category, item.billnum
