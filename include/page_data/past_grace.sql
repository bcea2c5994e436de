-- Of how many invoices of each reconciliation the grace was over by a moment, though nothing has compared its date since: what
-- compares a date afterwards leaves no such invoice pending, and where it records nothing new it says when it was all the same.
SELECT asked.reconciliation_id, count(*) AS invoices
FROM unnest(%(reconciliation_ids)s::bigint[], %(moments)s::timestamptz[]) AS asked (reconciliation_id, moment)
JOIN ropo.reconciliation AS recorded USING (reconciliation_id)
LEFT JOIN ropo.reconciled_date AS looked
    ON looked.profile = recorded.profile AND looked.business_date = recorded.business_date
    AND looked.scope = recorded.scope AND looked.reconciliation_id = recorded.reconciliation_id
CROSS JOIN LATERAL (
    SELECT
    FROM ropo.reconciliation_item AS item
    WHERE item.reconciliation_id = recorded.reconciliation_id AND item.category <> 'matched'
        AND item.pending_until <= asked.moment
        AND item.pending_until > COALESCE(looked.checked_at, recorded.started_at)
    ORDER BY item.invoice_key -- by an index: else the items of all dates would be read for a few of one
    LIMIT %(most)s
) AS waiting
WHERE recorded.pending > 0 AND COALESCE(looked.checked_at, recorded.started_at) < asked.moment
GROUP BY asked.reconciliation_id
