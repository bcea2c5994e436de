-- From when the grace of each difference runs: the end of the causing event's business date, else this run. Where an
-- earlier run found the invoice unmatched already (whatever the category was), the grace that ran then is not begun
-- again; it may only turn out to have begun earlier.
UPDATE comparison
SET grace_from = LEAST(
    began.grace_from,
    COALESCE((comparison.caused_on + 1)::timestamp AT TIME ZONE %(timezone)s, began.grace_from, %(now)s)
)
FROM comparison AS unmatched
LEFT JOIN LATERAL (
    SELECT CASE WHEN earlier.category <> 'matched' THEN earlier.grace_from END AS grace_from
    FROM (
        (
            SELECT item.reconciliation_id, item.category, item.grace_from
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.invoice_key = unmatched.invoice_key
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
        UNION ALL
        (
            -- Its name may have been another one when less was known of it.
            SELECT item.reconciliation_id, item.category, item.grace_from
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.jobid = unmatched.jobid
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
    ) AS earlier
    ORDER BY earlier.reconciliation_id DESC
    LIMIT 1
) AS began ON true
WHERE comparison.invoice_key = unmatched.invoice_key AND unmatched.category <> 'matched'
