-- Breaks of invoices that were sent before the profile's start_date, as it is now: nothing looks at them any more. Where
-- a reconciliation of a later moment has seen one all the same, as after the date was moved back, it stays.
WITH run AS (
    SELECT reconciliation_id, started_at, view_at
    FROM ropo.reconciliation
    WHERE reconciliation_id = %(reconciliation)s
), over AS (
    SELECT known.break_id, known.evidence, run.reconciliation_id, run.started_at
    FROM ropo.reconciliation_break AS known
    CROSS JOIN run
    WHERE known.profile = %(profile)s AND known.invoice_key = ANY(%(invoices)s) AND known.state <> 'resolved'
        AND NOT ropo.is_seen_after(known.profile, known.invoice_key, run.view_at)
), written AS (
    UPDATE ropo.reconciliation_break AS known
    SET state = 'resolved', resolved_at = GREATEST(over.started_at, known.last_seen)
    FROM over
    WHERE known.break_id = over.break_id
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, evidence, reconciliation_id)
SELECT
    break_id, %(by)s, 'resolved', 'it was sent before start_date, which is ' || %(start_date)s::text || ' now: out of scope',
    evidence, reconciliation_id
FROM over
ORDER BY break_id
