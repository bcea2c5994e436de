-- Of how many breaks, or of one of them, a person decided this since an event; what was accepted, or opened again, counts
-- while it is so.
SELECT count(DISTINCT event.break_id)
FROM ropo.reconciliation_break_event AS event
JOIN ropo.reconciliation_break AS known USING (break_id)
WHERE event.event_id > %(since)s AND event.by_whom = %(by)s AND event.kind = %(kind)s
    AND (%(break_id)s::bigint IS NULL OR event.break_id = %(break_id)s)
    AND known.profile = %(profile)s
    AND known.state = CASE event.kind WHEN 'accepted' THEN 'accepted' WHEN 'reopened' THEN 'open' ELSE known.state END
