-- Breaks under a name that nothing goes by any more. What was accepted of them stands accepted under the invoice's new name,
-- while it is of the same category and nothing of the states and amounts has changed. Where a reconciliation of a later
-- moment has seen an invoice of the former name, it is in use again.
CREATE TEMP TABLE renamed ON COMMIT DROP AS
SELECT
    known.break_id, shown.reconciliation_id, shown.started_at, shown.evidence, shown.invoice_key,
    shown.is_accepted AND shown.category = known.category AND shown.evidence @> known.accepted_evidence AS is_as_accepted
FROM known_as
JOIN shown USING (reconciliation_id, invoice_key)
JOIN ropo.reconciliation AS run USING (reconciliation_id)
JOIN ropo.reconciliation_break AS known ON known.profile = %(profile)s AND known.invoice_key = known_as.former_key
WHERE known.state <> 'resolved'
    AND NOT ropo.is_seen_after(known.profile, known.invoice_key, run.view_at);

WITH former AS (
    SELECT DISTINCT ON (renamed.invoice_key)
        renamed.invoice_key, renamed.reconciliation_id, known.invoice_key AS former_key, known.category,
        known.accepted_at, known.accepted_by, known.accepted_note, known.accepted_evidence
    FROM renamed
    JOIN ropo.reconciliation_break AS known USING (break_id)
    WHERE renamed.is_as_accepted AND known.state = 'accepted'
    ORDER BY renamed.invoice_key, known.accepted_at DESC
), carried AS (
    UPDATE ropo.reconciliation_break AS known
    SET
        state = 'accepted',
        accepted_at = former.accepted_at,
        accepted_by = former.accepted_by,
        accepted_note = former.accepted_note,
        accepted_evidence = former.accepted_evidence
    FROM former
    WHERE known.profile = %(profile)s AND known.invoice_key = former.invoice_key AND known.category = former.category
        AND known.state = 'open'
    RETURNING
        known.break_id, known.evidence, former.reconciliation_id,
        format('as %%s by %%s: %%s', former.former_key, former.accepted_by, former.accepted_note) AS note
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, evidence, reconciliation_id)
SELECT break_id, %(by)s, 'accepted', note, evidence, reconciliation_id
FROM carried
ORDER BY break_id
