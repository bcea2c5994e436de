-- How many of the breaks that reconciliations have recorded as accepted are open now, whatever their category is now, and
-- their name: as latest_verdicts.sql counts them. Of those with more than so many nothing is counted: a page need not wait
-- for it.
SELECT recorded.reconciliation_id, count(*) AS breaks
FROM ropo.reconciliation AS recorded
CROSS JOIN LATERAL (
    SELECT profile, invoice_key
    FROM ropo.reconciliation_item
    WHERE reconciliation_id = recorded.reconciliation_id AND category <> 'matched' AND is_accepted
    ORDER BY invoice_key -- by an index: else, where more were expected, the items of all dates or all breaks would be read
    OFFSET 0
) AS item
CROSS JOIN LATERAL (
    SELECT bool_or(is_open) AS is_open
    FROM ropo.break_standing AS known
    WHERE known.profile = item.profile AND known.invoice_key = item.invoice_key
    OFFSET 0 -- as above: else, for each of them, all that are open
) AS stands
WHERE stands.is_open
    AND recorded.reconciliation_id = ANY (%(reconciliation_ids)s::bigint[])
    AND recorded.accepted BETWEEN 1 AND %(most)s
GROUP BY recorded.reconciliation_id
