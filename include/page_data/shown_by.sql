-- The invoices that differ in a reconciliation, each also by the name that it goes by since.
SELECT item.invoice_key
FROM ropo.reconciliation_item AS item
WHERE item.reconciliation_id = %(shown_by)s AND item.category <> 'matched'
UNION
SELECT former.renamed_to
FROM ropo.reconciliation_item AS item
JOIN ropo.reconciliation_break AS former ON former.profile = item.profile AND former.invoice_key = item.invoice_key
WHERE item.reconciliation_id = %(shown_by)s AND item.category <> 'matched' AND former.renamed_to IS NOT NULL
