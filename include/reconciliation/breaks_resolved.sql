-- Breaks that are over: the invoice is right, or differs otherwise now, or goes by another name.
WITH over AS (
    SELECT
        known.break_id, shown.reconciliation_id, shown.started_at, shown.evidence,
        CASE shown.category WHEN 'matched' THEN 'the invoice is right' ELSE 'it is ' || shown.category || ' now' END AS note,
        NULL AS renamed_to
    FROM shown
    JOIN ropo.reconciliation_break AS known
        ON known.profile = %(profile)s
        AND known.invoice_key = shown.invoice_key AND known.category <> shown.category
    WHERE known.state <> 'resolved'
    UNION ALL
    SELECT
        break_id, reconciliation_id, started_at, evidence, 'the invoice is known as ' || invoice_key || ' now', invoice_key
    FROM renamed
), once AS (
    SELECT DISTINCT ON (break_id) * FROM over ORDER BY break_id, reconciliation_id DESC
), written AS (
    UPDATE ropo.reconciliation_break AS known
    SET
        state = 'resolved',
        resolved_at = GREATEST(once.started_at, known.last_seen),
        renamed_to = once.renamed_to
    FROM once
    WHERE known.break_id = once.break_id
    RETURNING known.break_id, known.invoice_key, known.renamed_to
), led_on AS (
    -- What was renamed before leads to the newest name at once.
    UPDATE ropo.reconciliation_break AS earlier
    SET renamed_to = written.renamed_to
    FROM written
    WHERE earlier.profile = %(profile)s AND earlier.renamed_to = written.invoice_key AND written.renamed_to IS NOT NULL
        AND earlier.invoice_key <> written.renamed_to
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, evidence, reconciliation_id)
SELECT break_id, %(by)s, 'resolved', note, evidence, reconciliation_id
FROM once
ORDER BY break_id
