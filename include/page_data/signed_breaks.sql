-- The accepted breaks that a signature rests on, as it was given, each with the event by which it stood accepted then (0 where
-- the signature does not say).
WITH signed AS (
    SELECT evidence
    FROM ropo.period_sign_off
    WHERE sign_off_id = %(sign_off_id)s
), accepted AS (
    SELECT DISTINCT by_event.break_id, by_event.event_id
    FROM signed
    CROSS JOIN jsonb_array_elements(signed.evidence -> 'dates' || (signed.evidence -> 'full')) AS standing
    CROSS JOIN ROWS FROM (
        jsonb_array_elements_text(standing -> 'accepted_breaks'),
        jsonb_array_elements_text(standing -> 'accepted_by_events')
    ) AS by_event (break_id, event_id)
)
SELECT rested_on.break_id::bigint, COALESCE(accepted.event_id::bigint, 0)
FROM signed
CROSS JOIN jsonb_array_elements_text(signed.evidence -> 'breaks') AS rested_on (break_id)
LEFT JOIN accepted USING (break_id)
