-- What became of each invoice that differed in one of two reconciliations, and how many took the same way.
-- Matched items are not read: an invoice that differs in one and not in the other agrees there, or is not in it. One that
-- goes by another name since is the same one.
WITH earlier AS (
    SELECT *, pending_until IS NOT NULL AS is_pending
    FROM ropo.reconciliation_item
    WHERE reconciliation_id = %(earlier)s AND category <> 'matched'
), later AS (
    SELECT
        item.*, pending_until IS NOT NULL AS is_pending,
        COALESCE(former.invoice_key, item.invoice_key) AS former_key
    FROM ropo.reconciliation_item AS item
    LEFT JOIN LATERAL ropo.other_name(item, %(earlier)s) AS former ON true
    WHERE reconciliation_id = %(later)s AND category <> 'matched'
), both_sides AS (
    SELECT
        COALESCE(later.invoice_key, earlier.invoice_key) AS invoice_key,
        CASE
            WHEN later.category IS NULL THEN 'mended'
            WHEN earlier.category IS NULL THEN 'new'
            WHEN earlier.category <> later.category THEN 'other_category'
            WHEN later.is_accepted AND NOT earlier.is_accepted THEN 'accepted'
            WHEN earlier.is_accepted AND NOT later.is_accepted THEN 'reopened'
            WHEN earlier.is_pending AND NOT later.is_pending THEN 'grace_over'
            WHEN {other_result} THEN 'changed'
            ELSE 'same'
        END AS change
    FROM earlier
    FULL JOIN later ON later.former_key = earlier.invoice_key
)
SELECT
    change,
    count(*) AS invoices,
    (array_agg(invoice_key ORDER BY invoice_key))[1:5] AS examples
FROM both_sides
GROUP BY change
