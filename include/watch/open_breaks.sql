-- Open breaks by category.
SELECT category, count(*)
FROM ropo.reconciliation_break
WHERE profile = %(profile)s AND state = 'open'
GROUP BY category
