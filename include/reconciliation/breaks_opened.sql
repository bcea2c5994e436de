-- Breaks that are shown for the first time. One of the same job under an earlier name of its invoice gives them its age.
WITH opened AS (
    INSERT INTO ropo.reconciliation_break (
        profile, invoice_key, billnum, jobid, category, reason, state, business_date, currency, amount, evidence,
        first_seen, last_seen, times_seen, first_reconciliation_id, last_reconciliation_id
    )
    SELECT
        %(profile)s, shown.invoice_key, shown.billnum, shown.jobid, shown.category, shown.reason, 'open',
        LEAST(shown.business_date, earlier.business_date), shown.currency, shown.amount, shown.evidence,
        shown.started_at, shown.started_at, shown.times, shown.reconciliation_id, shown.reconciliation_id
    FROM shown
    CROSS JOIN LATERAL (
        SELECT min(named.business_date) AS business_date
        FROM ropo.reconciliation_break AS named
        WHERE named.profile = %(profile)s AND named.jobid = shown.jobid AND named.state <> 'resolved'
            AND named.category = shown.category AND named.invoice_key <> shown.invoice_key
    ) AS earlier
    WHERE shown.is_break AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation_break AS known
        WHERE known.profile = %(profile)s
            AND known.invoice_key = shown.invoice_key AND known.category = shown.category
    )
    ORDER BY shown.invoice_key
    RETURNING break_id, evidence, first_reconciliation_id
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, evidence, reconciliation_id)
SELECT break_id, %(by)s, 'opened', evidence, first_reconciliation_id
FROM opened
ORDER BY break_id
