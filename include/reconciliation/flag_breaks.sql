-- Breaks that these reconciliations have opened or reopened, or that a person did by these events: where they touch a signed
-- period.
WITH opened AS MATERIALIZED (
    SELECT
        event.event_id AS opening, event.kind, event.by_whom, event.note, event.reconciliation_id,
        known.break_id, known.invoice_key, known.jobid, known.category, known.business_date
    FROM ropo.reconciliation_break_event AS event
    JOIN ropo.reconciliation_break AS known USING (break_id)
    WHERE (event.reconciliation_id = ANY(%(reconciliations)s::bigint[]) OR event.event_id = ANY(%(events)s::bigint[]))
        AND event.kind IN ('opened', 'reopened')
        AND known.state = 'open'   -- what was accepted under another name stands so (breaks_renamed.sql)
), {months_touched}
INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, break_id, note)
SELECT
    touched.sign_off_id, 'break_' || opened.kind, opened.business_date, opened.reconciliation_id, opened.break_id,
    -- Read by people, who know neither our keys nor our categories' names.
    ropo.invoice_in_words(opened.invoice_key)
    || ': ' || COALESCE(%(category_words)s::jsonb ->> opened.category, opened.category) || CASE
        WHEN opened.reconciliation_id IS NULL THEN ', opened again by ' || opened.by_whom || ': ' || opened.note
        ELSE COALESCE(', ' || opened.note, '')
    END
FROM touched
JOIN opened USING (opening)
ORDER BY opened.reconciliation_id, opened.break_id
