-- What was accepted of them is in their history, and covers nothing any more.
WITH reopened AS (
    UPDATE ropo.reconciliation_break
    SET state = 'open', accepted_at = NULL, accepted_by = NULL, accepted_note = NULL, accepted_evidence = NULL
    WHERE break_id = ANY(%(break_ids)s) AND profile = %(profile)s
    RETURNING break_id, evidence
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, evidence)
SELECT break_id, %(by)s, 'reopened', %(note)s, evidence
FROM reopened
ORDER BY break_id
RETURNING event_id
