-- The signed months that a person has changed by opening breaks again, or one of them, since an event; one that was signed
-- again after that is none of them.
SELECT DISTINCT signed.period, signed.signed_by, signed.countersigned_by, true AS is_changed
FROM (
    SELECT DISTINCT ON (period) sign_off_id, period, signed_by, countersigned_by
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
) AS signed
JOIN ropo.period_sign_off_flag AS flag USING (sign_off_id)
JOIN ropo.reconciliation_break_event AS event USING (break_id)
WHERE flag.kind = 'break_reopened' AND flag.reconciliation_id IS NULL AND flag.at >= event.at
    AND event.event_id > %(since)s AND event.kind = 'reopened' AND event.by_whom = %(by)s
    AND (%(break_id)s::bigint IS NULL OR event.break_id = %(break_id)s)
ORDER BY signed.period
