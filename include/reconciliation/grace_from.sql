-- From when the grace of each difference runs: the end of the causing event's business date, else this run. Where an
-- earlier run found the invoice unmatched already (whatever the category was), the grace that ran then is not begun
-- again; it may only turn out to have begun earlier. An event that is dated ahead of time holds up nothing.
-- A ledger that shows nothing at all says nothing of any invoice, and begins no grace. One before 1970, as where a date of
-- the year 1 stands for none, is over all the same; Python cannot reckon with a market's clock of that year.
UPDATE comparison
SET grace_from = LEAST(
    began.grace_from,
    COALESCE(
        CASE WHEN comparison.caused_on < '1970-01-01' THEN '1970-01-02' ELSE comparison.caused_on + 1 END::timestamp
            AT TIME ZONE %(timezone)s,
        began.grace_from,
        %(now)s
    ),
    %(now)s::timestamptz + interval '1 day'
)
FROM comparison AS unmatched
LEFT JOIN LATERAL (
    SELECT CASE WHEN earlier.category <> 'matched' THEN earlier.grace_from END AS grace_from
    FROM (
        SELECT newest.*
        FROM (
            SELECT unmatched.invoice_key AS name
            UNION ALL
            SELECT former_key FROM former_name WHERE former_name.invoice_key = unmatched.invoice_key AND is_only
        ) AS known
        CROSS JOIN LATERAL (
            SELECT item.reconciliation_id, item.category, item.grace_from
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.invoice_key = known.name
                AND NOT EXISTS (
                    SELECT
                    FROM ropo.reconciliation AS blind
                    WHERE blind.reconciliation_id = item.reconciliation_id AND ropo.is_blind(blind.reasons)
                )
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        ) AS newest
        UNION ALL
        (
            -- Its name may have been another one when less was known of it.
            SELECT item.reconciliation_id, item.category, item.grace_from
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.jobid = unmatched.jobid
                AND NOT EXISTS (
                    SELECT
                    FROM ropo.reconciliation AS blind
                    WHERE blind.reconciliation_id = item.reconciliation_id AND ropo.is_blind(blind.reasons)
                )
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
    ) AS earlier
    ORDER BY earlier.reconciliation_id DESC
    LIMIT 1
) AS began ON true
WHERE comparison.invoice_key = unmatched.invoice_key AND unmatched.category <> 'matched'
