-- Which reconciliation of a profile an id is.
SELECT reconciliation_id, business_date, scope
FROM ropo.reconciliation
WHERE profile = %(profile)s AND reconciliation_id = %(reconciliation_id)s
