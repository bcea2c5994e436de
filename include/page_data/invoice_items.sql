-- What the newest reconciliations recorded of one invoice, the newest first: under its name, and under those that it had
-- before, by its jobs or by what a break of its was renamed from. What is of an older view is not the newest
-- for being recorded last.
WITH own AS MATERIALIZED (
    SELECT reconciliation_id, invoice_key, jobid
    FROM ropo.reconciliation_item
    WHERE profile = %(profile)s AND invoice_key = %(invoice_key)s
    ORDER BY reconciliation_id DESC
    LIMIT %(limit)s
), former AS (
    SELECT had.reconciliation_id, had.invoice_key
    FROM (SELECT DISTINCT jobid FROM own WHERE jobid IS NOT NULL) AS job
    CROSS JOIN LATERAL ({newest_of_job}) AS now
    CROSS JOIN LATERAL (
        SELECT item.reconciliation_id, item.invoice_key
        FROM ropo.reconciliation_item AS item
        WHERE item.profile = %(profile)s AND item.jobid = job.jobid
        ORDER BY item.reconciliation_id DESC
        LIMIT %(limit)s
    ) AS had
    WHERE now.invoice_key = %(invoice_key)s
    UNION
    SELECT had.reconciliation_id, had.invoice_key
    FROM ropo.reconciliation_break AS renamed
    CROSS JOIN LATERAL (
        -- A number that another invoice uses since has its jobid.
        SELECT item.reconciliation_id, item.invoice_key
        FROM ropo.reconciliation_item AS item
        WHERE item.profile = %(profile)s AND item.invoice_key = renamed.invoice_key
            AND item.jobid IS NOT DISTINCT FROM renamed.jobid
        ORDER BY item.reconciliation_id DESC
        LIMIT %(limit)s
    ) AS had
    WHERE renamed.profile = %(profile)s AND renamed.renamed_to = %(invoice_key)s
), name AS MATERIALIZED (
    -- What stands beside it in a reconciliation is another invoice, though it bears the same job.
    SELECT named.invoice_key
    FROM (SELECT DISTINCT invoice_key FROM former WHERE invoice_key <> %(invoice_key)s) AS named
    WHERE NOT EXISTS (
        SELECT
        FROM own
        JOIN ropo.reconciliation_item AS beside
            ON beside.reconciliation_id = own.reconciliation_id AND beside.invoice_key = named.invoice_key
    )
), had AS MATERIALIZED (
    SELECT reconciliation_id, invoice_key
    FROM own
    UNION ALL
    SELECT reconciliation_id, invoice_key
    FROM former
    WHERE invoice_key IN (SELECT invoice_key FROM name)
    ORDER BY reconciliation_id DESC
    LIMIT %(limit)s
)
SELECT
    item.reconciliation_id, item.invoice_key, found.business_date, found.scope, found.started_at,
    COALESCE(looked.checked_at, found.started_at) AS checked_at, found.ledger_cutoff,
    found.dag_id, found.run_id,
    item.billnum, item.jobid, item.category, item.reason, item.hint, item.pending_until, item.is_accepted,
    item.ropo_status, item.ledger_status, item.ledger_word, item.ledger_row_count, item.currency,
    item.ropo_paid, item.ropo_discount, item.ledger_total, item.ledger_paid, item.ledger_discount,
    item.ledger_credited, item.ledger_open, item.further,
    ropo.is_blind(found.reasons) AS is_blind
FROM had
JOIN ropo.reconciliation_item AS item USING (reconciliation_id, invoice_key)
JOIN ropo.reconciliation AS found USING (reconciliation_id)
LEFT JOIN ropo.reconciled_date AS looked
    ON looked.profile = found.profile AND looked.business_date = found.business_date AND looked.scope = found.scope
    AND looked.reconciliation_id = found.reconciliation_id
ORDER BY
    -- A clock that was set back must not make all to come older.
    CASE WHEN found.view_at <= clock_timestamp() THEN found.view_at END DESC NULLS LAST,
    item.reconciliation_id DESC
