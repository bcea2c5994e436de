-- The invoices that a text names, by number or jobid: as reconciliations recorded them, else as events name them.
WITH recorded AS (
    (
        SELECT invoice_key, billnum, jobid, reconciliation_id
        FROM ropo.reconciliation_item
        WHERE profile = %(profile)s AND billnum = %(text)s
        ORDER BY reconciliation_id DESC
        LIMIT 100
    )
    UNION ALL
    (
        SELECT invoice_key, billnum, jobid, reconciliation_id
        FROM ropo.reconciliation_item
        WHERE profile = %(profile)s AND jobid = %(text)s
        ORDER BY reconciliation_id DESC
        LIMIT 100
    )
), spoken AS (
    (
        SELECT 'b:' || billnum AS invoice_key, billnum, jobid
        FROM ropo.status_event
        WHERE profile = %(profile)s AND billnum = %(text)s
        LIMIT 1
    )
    UNION ALL
    (
        SELECT COALESCE('b:' || billnum, 'j:' || jobid), billnum, jobid
        FROM ropo.status_event
        WHERE profile = %(profile)s AND jobid = %(text)s
        ORDER BY billnum NULLS LAST
        LIMIT 1
    )
)
SELECT DISTINCT ON (invoice_key) invoice_key, billnum, jobid
FROM (
    SELECT invoice_key, billnum, jobid, reconciliation_id FROM recorded
    UNION ALL
    SELECT invoice_key, billnum, jobid, 0 FROM spoken WHERE NOT EXISTS (SELECT FROM recorded)
) AS found
ORDER BY invoice_key, reconciliation_id DESC
