-- Of a full comparison: what is ended or paid on both sides, and matched, is left out of the population.
DELETE FROM population
USING item
WHERE population.invoice_key = item.invoice_key
    AND item.category = 'matched'
    AND (item.ropo_end IS NOT NULL OR item.ropo_payment = 'paid')
    AND (item.ledger_end IS NOT NULL OR item.ledger_payment = 'paid');

DELETE FROM comparison
WHERE invoice_key NOT IN (SELECT invoice_key FROM population)
