UPDATE comparison
SET hint = near.hint
FROM (VALUES %s) AS near (invoice_key, hint)
WHERE near.invoice_key = comparison.invoice_key
