-- How many of the breaks that reconciliations have recorded were accepted, or mended, since. Of those with more than so
-- many nothing is counted: a page need not wait for it.
SELECT reconciliation_id, count(*) AS breaks
FROM ropo.reconciliation AS recorded
JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
JOIN ropo.reconciliation_break AS known
    ON known.profile = item.profile AND known.invoice_key = item.invoice_key AND known.category = item.category
WHERE reconciliation_id = ANY (%(reconciliation_ids)s::bigint[]) AND recorded.breaks BETWEEN 1 AND %(most)s
    AND item.category <> 'matched' AND item.pending_until IS NULL AND NOT item.is_accepted AND known.state <> 'open'
    -- One that differs in another way now is none of them.
    AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation_break AS now
        WHERE now.profile = item.profile AND now.invoice_key IN (item.invoice_key, known.renamed_to) AND now.state = 'open'
    )
GROUP BY reconciliation_id
