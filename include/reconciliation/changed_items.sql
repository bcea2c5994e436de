-- The dates of which an item has another result than in the newest reconciliation (item_result.py). That it is accepted
-- counts: another may be so in its place, with the same numbers.
WITH was AS (
    SELECT newest.business_date, item.*
    FROM wanted_date
    JOIN ropo.reconciled_date AS newest
        ON newest.profile = %(profile)s AND newest.business_date = wanted_date.business_date AND newest.scope = 'date'
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
), found AS (
    SELECT part.business_date, item.*
    FROM part
    JOIN item USING (invoice_key)
)
SELECT DISTINCT business_date
FROM was
FULL JOIN found USING (business_date, invoice_key)
WHERE {other_result}
   OR was.is_accepted IS DISTINCT FROM found.is_accepted
