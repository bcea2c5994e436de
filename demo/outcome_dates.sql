-- The newest reconciliation of each date.
SELECT DISTINCT ON (business_date)
    reconciliation_id,
    business_date,
    verdict,
    population,
    matched,
    pending,
    breaks
FROM ropo.reconciliation
WHERE profile = %(profile)s AND business_date = ANY(%(dates)s) AND scope = 'date'
ORDER BY business_date, reconciliation_id DESC
