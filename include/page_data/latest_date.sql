-- The newest business date that was compared, by its latest reconciliation.
SELECT business_date, reconciliation_id, verdict, population, matched, pending, breaks
FROM ropo.reconciliation
WHERE profile = %(profile)s AND scope = 'date' AND business_date >= %(start)s
ORDER BY business_date DESC, reconciliation_id DESC
LIMIT 1
