-- Breaks that a month's signature rests on, each as it stood accepted by a moment: by whom, why, and with what money. What
-- was accepted anew, or opened again, since then is not what was signed.
SELECT
    known.break_id,
    known.invoice_key,
    known.billnum,
    known.jobid,
    known.category,
    CASE WHEN former.event_id IS NULL THEN known.reason ELSE former.evidence ->> 'reason' END AS reason,
    known.state,
    former.event_id IS NOT NULL AND known.state = 'accepted' AS is_accepted_anew,
    CASE WHEN former.event_id IS NULL THEN known.currency ELSE former.evidence ->> 'currency' END AS currency,
    CASE WHEN former.event_id IS NULL THEN known.evidence ELSE former.evidence END AS evidence,
    CASE WHEN former.event_id IS NULL THEN known.amount ELSE ropo.amount_at_stake(
        (former.evidence ->> 'ropo_paid')::numeric, (former.evidence ->> 'ropo_discount')::numeric,
        (former.evidence ->> 'ledger_paid')::numeric, (former.evidence ->> 'ledger_discount')::numeric,
        (former.evidence ->> 'ledger_total')::numeric, (former.evidence ->> 'ledger_credited')::numeric,
        (former.evidence ->> 'ledger_open')::numeric
    ) END AS amount,
    COALESCE(former.at, known.accepted_at) AS accepted_at,
    COALESCE(former.by_whom, known.accepted_by) AS accepted_by,
    COALESCE(former.note, known.accepted_note) AS accepted_note
FROM ropo.reconciliation_break AS known
LEFT JOIN LATERAL (
    -- Where the acceptance that the break has now is a later one, or it has none.
    SELECT event.event_id, event.at, event.by_whom, event.note, event.evidence
    FROM ropo.reconciliation_break_event AS event
    WHERE (known.accepted_at <= %(by_then)s) IS NOT TRUE
        AND event.break_id = known.break_id AND event.kind = 'accepted' AND event.at <= %(by_then)s
    ORDER BY event.event_id DESC
    LIMIT 1
) AS former ON true
WHERE known.profile = %(profile)s AND known.break_id = ANY (%(break_ids)s::bigint[])
