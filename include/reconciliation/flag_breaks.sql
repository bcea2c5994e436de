-- Breaks that these reconciliations have opened or reopened, or that a person did by these events: where they date from a
-- period that is signed, or where its sign-off rests on an accepted break of the same invoice, be it this one or one of
-- another category or name.
WITH signed AS (
    SELECT DISTINCT ON (period) sign_off_id, period, (period + interval '1 month')::date AS next_period, evidence
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
), opened AS MATERIALIZED (
    SELECT
        event.event_id, event.kind, event.by_whom, event.note, event.reconciliation_id,
        known.break_id, known.invoice_key, known.jobid, known.category, known.business_date
    FROM ropo.reconciliation_break_event AS event
    JOIN ropo.reconciliation_break AS known USING (break_id)
    WHERE (event.reconciliation_id = ANY(%(reconciliations)s::bigint[]) OR event.event_id = ANY(%(events)s::bigint[]))
        AND event.kind IN ('opened', 'reopened')
        AND known.state = 'open'   -- what was accepted under another name stands so (breaks_renamed.sql)
), of_invoice AS (
    SELECT opened.event_id, other.break_id
    FROM opened
    JOIN ropo.reconciliation_break AS other
        ON other.profile = %(profile)s AND other.invoice_key = opened.invoice_key
    UNION
    SELECT opened.event_id, other.break_id
    FROM opened
    JOIN ropo.reconciliation_break AS other ON other.profile = %(profile)s AND other.jobid = opened.jobid
    UNION
    SELECT opened.event_id, other.break_id
    FROM opened
    JOIN known_as
        ON known_as.invoice_key = opened.invoice_key
        AND COALESCE(known_as.reconciliation_id = opened.reconciliation_id, true)
    JOIN ropo.reconciliation_break AS other ON other.profile = %(profile)s AND other.invoice_key = known_as.former_key
), touched AS (
    SELECT signed.sign_off_id, opened.event_id
    FROM opened
    JOIN signed ON opened.business_date >= signed.period AND opened.business_date < signed.next_period
    UNION
    SELECT signed.sign_off_id, of_invoice.event_id
    FROM signed
    CROSS JOIN jsonb_array_elements_text(signed.evidence -> 'breaks') AS rested_on (break_id)
    JOIN of_invoice ON of_invoice.break_id = rested_on.break_id::bigint
)
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
JOIN opened USING (event_id)
ORDER BY opened.reconciliation_id, opened.break_id
