-- Events that a re-read or a question by invoice number brought first, and that the queue has handed over now. In the
-- order of their key, as every statement that locks events.
WITH shown AS (
    SELECT held.profile, held.statusid
    FROM unnest(%(ids)s::text[]) AS shown (statusid)
    JOIN ropo.status_event AS held ON held.profile = %(profile)s AND held.statusid = shown.statusid
    WHERE held.source <> 'drain' AND held.drained_poll_id IS NULL
    ORDER BY held.statusid
    FOR UPDATE OF held
)
UPDATE ropo.status_event AS held
SET drained_poll_id = %(poll_id)s
FROM shown
WHERE held.profile = shown.profile AND held.statusid = shown.statusid
