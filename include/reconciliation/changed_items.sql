-- The dates of which an item has another result than in the newest reconciliation (item_result.py). That it is accepted
-- counts: another may be so in its place, with the same numbers. So does that its break was resolved since (another comparison
-- had found it mended, or it was out of scope): it is back, and only what is recorded opens it again.
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
   OR NOT %(is_blind)s AND found.category <> 'matched' AND found.pending_until IS NULL AND EXISTS (
        SELECT
        FROM ropo.reconciliation_break AS settled
        WHERE settled.profile = %(profile)s AND settled.invoice_key = found.invoice_key
            AND settled.category = found.category AND settled.state = 'resolved'
   )
