-- The kinds of poll that leave what they show in the queue, as far as is on record: a drain that was sent after such a poll
-- had ended brought an event that it had shown first. With the same content: what Ropo changes may be queued anew.
SELECT DISTINCT event.source
FROM ropo.status_event AS event
JOIN ropo.status_poll AS shown ON shown.poll_id = event.first_poll_id
JOIN ropo.status_poll AS drained ON drained.poll_id = event.drained_poll_id
WHERE event.profile = %s AND event.source <> 'drain'
  AND drained.opened_at > shown.closed_at
  AND event.content_poll_id = event.first_poll_id
