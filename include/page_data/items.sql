-- Items of a reconciliation with what is known of their breaks today. The page adds its order's keys, by which the last of
-- its rows names the place where the next page begins, and its conditions, order and limit.
SELECT
    item.invoice_key,
    item.billnum,
    item.jobid,
    item.category,
    item.reason,
    item.hint,
    item.pending_until,
    item.is_accepted,
    item.currency,
    item.ropo_status,
    item.ledger_status,
    item.ropo_paid,
    item.ropo_discount,
    item.ledger_paid,
    item.ledger_discount,
    item.ledger_total,
    CASE WHEN item.category <> 'matched' THEN ropo.amount_at_stake(
        item.ropo_paid, item.ropo_discount,
        item.ledger_paid, item.ledger_discount, item.ledger_total, item.ledger_credited, item.ledger_open
    ) END AS amount,
    break.break_id,
    break.state AS break_state,
    break.severity::text AS severity,
    {keys}
FROM ropo.reconciliation_item AS item
LEFT JOIN ropo.break_today AS break
    ON break.profile = item.profile AND break.invoice_key = item.invoice_key AND break.category = item.category
    -- One that was mended before, and that nothing has shown since, is not what is within its grace.
    AND (
        item.pending_until IS NULL OR break.state <> 'resolved'
        OR break.last_reconciliation_id > item.reconciliation_id
    )
WHERE item.reconciliation_id = %(reconciliation_id)s
