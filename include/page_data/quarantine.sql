-- Rows that wait in quarantine, the oldest first.
SELECT quarantine_id, poll_id, ordinal, times_seen, first_seen_at, error, raw
FROM ropo.status_quarantine
WHERE profile = %(profile)s AND resolved_at IS NULL
ORDER BY quarantine_id
LIMIT %(limit)s
