-- Breaks that are shown for the first time. One under a former name of its invoice gives them its age.
-- They are looked for before the first is written: a statement that read the table that it fills would read all it wrote.
CREATE TEMP TABLE fresh ON COMMIT DROP AS
SELECT shown.*, earlier.business_date AS earlier_date
FROM shown
LEFT JOIN ropo.reconciliation_break AS known
    ON known.profile = %(profile)s
    AND known.invoice_key = shown.invoice_key AND known.category = shown.category
LEFT JOIN (
    SELECT shown.invoice_key, min(named.business_date) AS business_date
    FROM shown
    JOIN known_as USING (reconciliation_id, invoice_key)
    JOIN ropo.reconciliation_break AS named
        ON named.profile = %(profile)s AND named.invoice_key = known_as.former_key AND named.category = shown.category
    WHERE named.state <> 'resolved'
    GROUP BY shown.invoice_key
) AS earlier ON earlier.invoice_key = shown.invoice_key
WHERE shown.is_break AND known.break_id IS NULL;

WITH opened AS (
    INSERT INTO ropo.reconciliation_break (
        profile, invoice_key, billnum, jobid, category, reason, state, business_date, currency, amount, evidence,
        first_seen, last_seen, times_seen, first_reconciliation_id, last_reconciliation_id
    )
    SELECT
        %(profile)s, invoice_key, billnum, jobid, category, reason, 'open',
        COALESCE(LEAST(first_date, earlier_date), full_date), currency, amount, evidence,
        started_at, started_at, times, reconciliation_id, reconciliation_id
    FROM fresh
    ORDER BY invoice_key
    RETURNING break_id, evidence, first_reconciliation_id
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, evidence, reconciliation_id)
SELECT break_id, %(by)s, 'opened', evidence, first_reconciliation_id
FROM opened
ORDER BY break_id
