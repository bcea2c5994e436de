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
        AND NOT EXISTS (
            SELECT
            FROM ropo.reconciliation_item AS item
            JOIN ropo.reconciliation AS later USING (reconciliation_id)
            WHERE item.profile = %(profile)s AND item.invoice_key = known.invoice_key
                AND later.view_at > run.view_at
                -- As in breaks_shown.sql.
                AND later.view_at <= clock_timestamp()
                AND NOT later.reasons @> '[{"word": "ledger_empty"}]'
        )
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
