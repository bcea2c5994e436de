-- The breaks of one invoice, by its name or one that it had before.
SELECT break_id
FROM ropo.reconciliation_break
WHERE profile = %(profile)s AND invoice_key = %(invoice_key)s
UNION
SELECT break_id
FROM ropo.reconciliation_break
WHERE profile = %(profile)s AND renamed_to = %(invoice_key)s
