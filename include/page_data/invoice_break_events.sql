-- The history of one invoice's breaks, the oldest first.
SELECT event.break_id, event.at, event.by_whom, event.kind, event.note, event.reconciliation_id
FROM ropo.reconciliation_break AS found
JOIN ropo.reconciliation_break_event AS event USING (break_id)
WHERE found.profile = %(profile)s AND found.invoice_key = %(invoice_key)s
ORDER BY event.event_id
