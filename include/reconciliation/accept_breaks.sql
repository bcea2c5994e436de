WITH accepted AS (
    UPDATE ropo.reconciliation_break
    SET
        state = 'accepted',
        accepted_at = clock_timestamp(),
        accepted_by = %(by)s,
        accepted_note = %(note)s,
        accepted_evidence = evidence
    WHERE break_id = ANY(%(break_ids)s)
    RETURNING break_id, accepted_at, accepted_evidence
)
INSERT INTO ropo.reconciliation_break_event (break_id, at, by_whom, kind, note, evidence)
SELECT break_id, accepted_at, %(by)s, 'accepted', %(note)s, accepted_evidence
FROM accepted
ORDER BY break_id
