-- The dates of which an item is another than in the newest reconciliation, in what finance would call its result: by the
-- columns of flag_results.sql. That it is accepted is one of them: another may be so in its place, with the same numbers.
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
WHERE (was.category, was.reason, was.pending_until IS NULL, was.is_accepted, was.currency, was.further)
        IS DISTINCT FROM (
            found.category, found.reason, found.pending_until IS NULL, found.is_accepted, found.currency, found.further
        )
   OR (was.ropo_status, was.ropo_paid, was.ropo_discount)
        IS DISTINCT FROM (found.ropo_status, found.ropo_paid, found.ropo_discount)
   OR (was.ledger_status, was.ledger_total, was.ledger_paid, was.ledger_discount, was.ledger_credited, was.ledger_open)
        IS DISTINCT FROM (
            found.ledger_status, found.ledger_total, found.ledger_paid, found.ledger_discount, found.ledger_credited,
            found.ledger_open
        )
