-- The breaks of a reconciliation with the most at stake, without those that were accepted or resolved since, and with those
-- that are open again, whatever their category is now, and their name: as latest_verdicts.sql counts them. Amounts of several
-- currencies are set in one order, never added.
SELECT
    item.billnum, item.jobid, item.category, item.reason, item.currency, stake.amount,
    item.ropo_status, item.ledger_status, item.hint
FROM ropo.reconciliation_item AS item
CROSS JOIN LATERAL ropo.amount_at_stake(
    item.ropo_paid, item.ropo_discount,
    item.ledger_paid, item.ledger_discount, item.ledger_total, item.ledger_credited, item.ledger_open
) AS stake (amount)
LEFT JOIN LATERAL (
    SELECT bool_or(is_open) AS is_open
    FROM ropo.break_standing AS known
    WHERE known.profile = item.profile AND known.invoice_key = item.invoice_key
) AS stands ON true
WHERE item.reconciliation_id = %(reconciliation_id)s AND item.category <> 'matched' AND item.pending_until IS NULL
    AND COALESCE(stands.is_open, NOT item.is_accepted)
ORDER BY stake.amount DESC, item.invoice_key
LIMIT %(most)s
