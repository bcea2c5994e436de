-- The money of the ledger's further rows of an invoice, each in its own currency. Those without any are left out, so that
-- a date without duplicates is recorded as ever.
SELECT
    part.business_date,
    COALESCE(ledger_side.currency, %(currency)s) AS currency,
    sum(paid) AS paid,
    sum(COALESCE(discount, 0)) AS discount
FROM ledger_side
JOIN part USING (invoice_key)
WHERE place > 1
GROUP BY 1, 2
HAVING sum(paid) <> 0 OR sum(COALESCE(discount, 0)) <> 0
