-- The latest reconciliation of each business date of a span.
SELECT DISTINCT ON (business_date)
    business_date, reconciliation_id, verdict, population, matched, pending, breaks, accepted
FROM ropo.reconciliation
WHERE profile = %(profile)s AND scope = 'date' AND business_date BETWEEN %(first)s AND %(last)s
ORDER BY business_date, reconciliation_id DESC
