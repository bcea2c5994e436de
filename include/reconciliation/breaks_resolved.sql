-- Breaks that are over: the invoice is right, or differs otherwise now, or goes by another name.
WITH over AS (
    SELECT
        known.break_id, shown.reconciliation_id, shown.started_at, shown.evidence,
        CASE shown.category WHEN 'matched' THEN 'the invoice is right' ELSE 'it is ' || shown.category || ' now' END AS note
    FROM shown
    JOIN ropo.reconciliation_break AS known
        ON known.profile = %(profile)s
        AND known.invoice_key = shown.invoice_key AND known.category <> shown.category
    WHERE known.state <> 'resolved'
    UNION ALL
    -- Its job leads to another invoice than before, and to this one no more.
    SELECT
        known.break_id, shown.reconciliation_id, shown.started_at, shown.evidence,
        'the invoice is known as ' || shown.invoice_key || ' now'
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
        )
), once AS (
    SELECT DISTINCT ON (break_id) * FROM over ORDER BY break_id, reconciliation_id DESC
), written AS (
    UPDATE ropo.reconciliation_break AS known
    SET state = 'resolved', resolved_at = GREATEST(once.started_at, known.last_seen)
    FROM once
    WHERE known.break_id = once.break_id
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, evidence, reconciliation_id)
SELECT break_id, %(by)s, 'resolved', note, evidence, reconciliation_id
FROM once
ORDER BY break_id
