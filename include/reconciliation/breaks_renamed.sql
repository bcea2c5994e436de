-- Breaks whose job leads to another invoice than before, and to theirs no more. What was accepted of them stands accepted
-- under the invoice's new name, while it is of the same category and nothing of the states and amounts has changed.
CREATE TEMP TABLE renamed ON COMMIT DROP AS
SELECT
    known.break_id, shown.reconciliation_id, shown.started_at, shown.evidence, shown.invoice_key,
    shown.is_break AND shown.category = known.category AND shown.evidence @> known.accepted_evidence AS is_as_accepted
FROM shown
JOIN ropo.reconciliation_break AS known
    ON known.profile = %(profile)s AND known.jobid = shown.jobid AND known.invoice_key <> shown.invoice_key
WHERE known.state <> 'resolved'
    AND NOT EXISTS (SELECT FROM shown AS itself WHERE itself.invoice_key = known.invoice_key)
    -- A job that Ropo One has named is one invoice's; of one that only the ledger knows several rows may speak.
    AND EXISTS (
        SELECT
        FROM ropo.status_event AS event
        WHERE event.profile = %(profile)s AND event.jobid = shown.jobid COLLATE "C"
    );

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
