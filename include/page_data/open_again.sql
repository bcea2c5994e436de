-- How many of the breaks that a reconciliation has recorded as accepted are open now. Of one with more than so many nothing
-- is counted: a page need not wait for it.
SELECT count(*)
FROM ropo.reconciliation AS recorded
JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
JOIN ropo.reconciliation_break AS known
    ON known.profile = item.profile AND known.invoice_key = item.invoice_key AND known.category = item.category
WHERE reconciliation_id = %(reconciliation_id)s AND recorded.accepted BETWEEN 1 AND %(most)s
    AND item.category <> 'matched' AND item.is_accepted AND known.state = 'open'
