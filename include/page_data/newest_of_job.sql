-- The name under which a job was seen last: by the newest view of those recorded last, and not where the ledger came empty,
-- in which its number may stand. Where two invoices bear one job, the one that is asked about.
SELECT seen.invoice_key, seen.reconciliation_id
FROM (
    SELECT
        item.invoice_key, item.reconciliation_id,
        -- A clock that was set back must not make all to come older.
        CASE WHEN found.view_at <= clock_timestamp() THEN found.view_at END AS view_at
    FROM ropo.reconciliation_item AS item
    JOIN ropo.reconciliation AS found USING (reconciliation_id)
    WHERE item.profile = %(profile)s AND item.jobid = job.jobid AND NOT ropo.is_blind(found.reasons)
    ORDER BY item.reconciliation_id DESC
    LIMIT 100
) AS seen
ORDER BY seen.view_at DESC NULLS LAST, seen.reconciliation_id DESC, seen.invoice_key = %(invoice_key)s DESC
LIMIT 1
