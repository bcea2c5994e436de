-- Breaks of a profile, as they are today. The page adds its conditions, order and limit.
SELECT
    break.break_id,
    break.invoice_key,
    break.billnum,
    break.jobid,
    break.category,
    break.reason,
    break.state,
    break.severity::text AS severity,
    break.age_days,
    break.business_date,
    break.currency,
    break.amount,
    break.evidence,
    -- As the newest comparison that saw it said.
    (
        SELECT item.hint
        FROM ropo.reconciliation_item AS item
        WHERE item.reconciliation_id = break.last_reconciliation_id AND item.invoice_key = break.invoice_key
            AND item.category = break.category
    ) AS hint,
    break.first_seen,
    break.last_seen,
    break.times_seen,
    break.accepted_at,
    break.accepted_by,
    break.accepted_note,
    break.resolved_at,
    elsewhere.reconciliation_id AS shown_in,
    elsewhere.business_date AS shown_on
FROM ropo.break_today AS break
LEFT JOIN LATERAL (
    SELECT seen.reconciliation_id, seen.business_date
    FROM ropo.reconciliation AS seen
    WHERE seen.reconciliation_id = break.last_reconciliation_id AND NOT EXISTS (
        SELECT
        FROM ropo.reconciled_date AS looked
        WHERE looked.profile = break.profile AND looked.business_date = break.business_date AND looked.scope = 'date'
    )
    OFFSET 0 -- for those that are listed, one by one
) AS elsewhere ON true
WHERE break.profile = %(profile)s
