-- The name that the invoice of a key goes by now, where that is another one: its job was seen under it since, or a break of
-- it was renamed to it.
WITH own AS MATERIALIZED (
    SELECT reconciliation_id, jobid
    FROM ropo.reconciliation_item
    WHERE profile = %(profile)s AND invoice_key = %(invoice_key)s
    ORDER BY reconciliation_id DESC
    LIMIT 100
), newest AS MATERIALIZED (
    SELECT reconciliation_id, jobid FROM own ORDER BY reconciliation_id DESC LIMIT 1
), name AS (
    SELECT now.invoice_key, now.reconciliation_id
    FROM (SELECT COALESCE((SELECT jobid FROM newest), %(jobid)s) AS jobid) AS job
    CROSS JOIN LATERAL ({newest_of_job}) AS now
    UNION ALL
    SELECT renamed.renamed_to, since.reconciliation_id
    FROM ropo.reconciliation_break AS renamed
    -- A number that another invoice uses since has its jobid.
    JOIN newest ON newest.jobid IS NOT DISTINCT FROM renamed.jobid
    CROSS JOIN LATERAL (
        SELECT item.reconciliation_id
        FROM ropo.reconciliation_item AS item
        WHERE item.profile = %(profile)s AND item.invoice_key = renamed.renamed_to
            AND item.reconciliation_id > newest.reconciliation_id
        ORDER BY item.reconciliation_id DESC
        LIMIT 1
    ) AS since
    WHERE renamed.profile = %(profile)s AND renamed.invoice_key = %(invoice_key)s AND renamed.renamed_to IS NOT NULL
)
SELECT invoice_key
FROM name
WHERE invoice_key <> %(invoice_key)s
    -- What stands beside it in a reconciliation is another invoice, though it bears the same job.
    AND NOT EXISTS (
        SELECT
        FROM own
        JOIN ropo.reconciliation_item AS beside
            ON beside.reconciliation_id = own.reconciliation_id AND beside.invoice_key = name.invoice_key
    )
ORDER BY reconciliation_id DESC
LIMIT 1
