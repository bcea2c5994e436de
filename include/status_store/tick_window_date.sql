-- One date re-read serves every doubt that was known before the date was asked and whose window holds it. One that was
-- written anew since (its poll took its page late) is not served: it may have lost what was recorded after the answer.
INSERT INTO ropo.status_poll_window_date (
    poll_id, business_date, reread_poll_id, ticked_at, asked_at, brought, reason
)
SELECT
    doubt.poll_id, %(date)s, %(reread_poll_id)s,
    CASE WHEN %(whole)s THEN clock_timestamp() END,
    CASE WHEN %(is_answered)s THEN clock_timestamp() ELSE '-infinity' END,
    %(new)s, %(reason)s
FROM unnest(%(doubts)s::bigint[], %(noticed)s::timestamptz[]) AS known (poll_id, noticed_at)
JOIN ropo.status_poll AS doubt ON doubt.poll_id = known.poll_id AND doubt.closed_at = known.noticed_at
WHERE doubt.recovery IN ('pending', 'unproven')
ORDER BY doubt.poll_id
FOR SHARE OF doubt
ON CONFLICT (poll_id, business_date) DO UPDATE
SET reread_poll_id = excluded.reread_poll_id,
    ticked_at = COALESCE(status_poll_window_date.ticked_at, excluded.ticked_at),
    asked_at = excluded.asked_at,
    -- A commit whose answer was lost is tried again: the same re-read counts once.
    brought = status_poll_window_date.brought
        + CASE WHEN status_poll_window_date.reread_poll_id = excluded.reread_poll_id THEN 0 ELSE excluded.brought END,
    reason = excluded.reason
