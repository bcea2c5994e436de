-- The latest reconciliation of each business date.
SELECT DISTINCT ON (business_date)
    reconciliation_id, business_date, verdict, population, breaks, reasons, categories, totals, dag_id, run_id
FROM ropo.reconciliation
WHERE profile = %(profile)s AND scope = %(scope)s AND business_date BETWEEN %(first)s AND %(last)s
ORDER BY business_date, reconciliation_id DESC
