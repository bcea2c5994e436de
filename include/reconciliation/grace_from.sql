-- From when the grace of each difference runs: the end of the causing event's business date, else this run. Where an
-- earlier run found the invoice unmatched already (whatever the category was), the grace that ran then is not begun
-- again; it may only turn out to have begun earlier. An event that is dated ahead of time holds up nothing.
WITH blind AS (
    -- A ledger that shows nothing at all says nothing of any invoice.
    SELECT reconciliation_id
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND reasons @> '[{"word": "ledger_empty"}]'
)
UPDATE comparison
SET grace_from = LEAST(
    began.grace_from,
    COALESCE((comparison.caused_on + 1)::timestamp AT TIME ZONE %(timezone)s, began.grace_from, %(now)s),
    %(now)s::timestamptz + interval '1 day'
)
FROM comparison AS unmatched
LEFT JOIN LATERAL (
    SELECT CASE WHEN earlier.category <> 'matched' THEN earlier.grace_from END AS grace_from
    FROM (
        (
            SELECT item.reconciliation_id, item.category, item.grace_from
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.invoice_key = unmatched.invoice_key
                AND item.reconciliation_id NOT IN (SELECT reconciliation_id FROM blind)
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
        UNION ALL
        (
            -- Its name may have been another one when less was known of it.
            SELECT item.reconciliation_id, item.category, item.grace_from
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.jobid = unmatched.jobid
                AND item.reconciliation_id NOT IN (SELECT reconciliation_id FROM blind)
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
    ) AS earlier
    ORDER BY earlier.reconciliation_id DESC
    LIMIT 1
) AS began ON true
WHERE comparison.invoice_key = unmatched.invoice_key AND unmatched.category <> 'matched'
