-- One reconciliation's items, with what is known of their breaks today; the program adds which of them, and their order.
SELECT
    item.billnum, item.jobid, item.category, item.reason, item.pending_until,
    CASE WHEN item.is_accepted THEN 'yes' END AS accepted, item.currency,
    item.ropo_status, item.ledger_status, item.ledger_word,
    item.ropo_paid, item.ropo_discount, item.ledger_total, item.ledger_paid, item.ledger_discount, item.ledger_credited,
    item.ledger_open, item.event_count, item.ledger_row_count, item.caused_on, item.grace_until, item.hint,
    item.invoice_key, item.further,
    CASE WHEN item.category <> 'matched' AND ropo.is_stake_known(item.category, stake.amount) THEN stake.amount END
        AS at_stake,
    break.severity::text AS severity, break.break_id, break.state AS break_state, break.accepted_by, break.accepted_note
FROM ropo.reconciliation_item AS item
CROSS JOIN LATERAL (
    SELECT ropo.amount_at_stake(
        item.ropo_paid, item.ropo_discount,
        item.ledger_paid, item.ledger_discount, item.ledger_total, item.ledger_credited, item.ledger_open
    ) AS amount
) AS stake
-- A break of another category than the item's is another difference.
LEFT JOIN ropo.break_today AS break
    ON break.profile = item.profile AND break.invoice_key = item.invoice_key AND break.category = item.category
    -- One that was mended before, and that nothing has shown since, is not what is within its grace.
    AND (
        item.pending_until IS NULL OR break.state <> 'resolved'
        OR break.last_reconciliation_id > item.reconciliation_id
    )
WHERE item.reconciliation_id = %(reconciliation_id)s
