-- Breaks that a month's signature rests on, the largest first, each with who had accepted it by a moment: what was accepted
-- anew, or opened again, since then is not what was signed.
SELECT
    known.break_id,
    known.invoice_key,
    known.billnum,
    known.jobid,
    known.category,
    known.reason,
    known.state,
    known.currency,
    known.amount,
    CASE WHEN known.accepted_at <= %(by_then)s THEN known.accepted_by ELSE former.by_whom END AS accepted_by,
    CASE WHEN known.accepted_at <= %(by_then)s THEN known.accepted_note ELSE former.note END AS accepted_note
FROM ropo.reconciliation_break AS known
LEFT JOIN LATERAL (
    SELECT event.by_whom, event.note
    FROM ropo.reconciliation_break_event AS event
    WHERE event.break_id = known.break_id AND event.kind = 'accepted' AND event.at <= %(by_then)s
    ORDER BY event.event_id DESC
    LIMIT 1
) AS former ON true
WHERE known.profile = %(profile)s AND known.break_id = ANY (%(break_ids)s::bigint[])
ORDER BY known.amount DESC, known.break_id
LIMIT %(most)s
