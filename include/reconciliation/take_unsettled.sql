-- Of a full comparison: all but what is matched and, on both sides, ended or paid. An invoice whose break is not resolved
-- is not settled, by whatever name that break is: what resolves it must be on record.
INSERT INTO part (business_date, invoice_key, is_out_of_scope)
SELECT %(business_date)s, population.invoice_key, population.is_out_of_scope
FROM population
LEFT JOIN item USING (invoice_key)
WHERE (
    item.category = 'matched'
    AND (item.ropo_end IS NOT NULL OR item.ropo_payment = 'paid')
    AND (item.ledger_end IS NOT NULL OR item.ledger_payment = 'paid')
) IS NOT TRUE
OR population.invoice_key IN (
    SELECT invoice_key FROM ropo.reconciliation_break WHERE profile = %(profile)s AND state <> 'resolved'
    UNION ALL
    SELECT former_name.invoice_key
    FROM former_name
    JOIN ropo.reconciliation_break AS known ON known.profile = %(profile)s AND known.invoice_key = former_name.former_key
    WHERE known.state <> 'resolved'
)
