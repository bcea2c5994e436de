-- The history of breaks, the oldest first.
SELECT break_id, at, by_whom, kind, note, reconciliation_id
FROM ropo.reconciliation_break_event
WHERE break_id = ANY(%(break_ids)s)
ORDER BY event_id
