-- The invoices that a text names, by number or jobid: as reconciliations recorded them, else as events name them.
WITH recorded AS (
    (
        SELECT invoice_key, billnum, jobid, reconciliation_id
        FROM ropo.items_of_number(%(profile)s, %(text)s)
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
), newest AS (
    SELECT DISTINCT ON (invoice_key) invoice_key, billnum, jobid
    FROM recorded
    ORDER BY invoice_key, reconciliation_id DESC
), standing AS (
    -- A job that stands under another key by now is that invoice: it got another number, or its number was used again.
    SELECT
        COALESCE(now.invoice_key, newest.invoice_key) AS invoice_key,
        COALESCE(now.billnum, newest.billnum) AS billnum,
        newest.jobid
    FROM newest
    LEFT JOIN LATERAL (
        SELECT invoice_key, billnum
        FROM ropo.reconciliation_item AS item
        WHERE item.profile = %(profile)s AND item.jobid = newest.jobid
        ORDER BY reconciliation_id DESC, item.invoice_key = newest.invoice_key DESC
        LIMIT 1
    ) AS now ON true
), job AS (
    SELECT jobid
    FROM ropo.status_event
    WHERE profile = %(profile)s AND billnum = %(text)s AND jobid IS NOT NULL
    UNION
    (SELECT jobid FROM ropo.status_event WHERE profile = %(profile)s AND jobid = %(text)s LIMIT 1)
), spoken AS (
    SELECT COALESCE('b:' || named.billnum, 'j:' || job.jobid) AS invoice_key, named.billnum, job.jobid
    FROM job
    CROSS JOIN LATERAL ropo.newest_billnum(%(profile)s, job.jobid) AS named (billnum)
    UNION ALL
    (
        SELECT 'b:' || billnum, billnum, NULL
        FROM ropo.status_event
        WHERE profile = %(profile)s AND billnum = %(text)s AND jobid IS NULL
        LIMIT 1
    )
)
SELECT DISTINCT ON (invoice_key) invoice_key, billnum, jobid
FROM (
    SELECT invoice_key, billnum, jobid FROM standing
    UNION ALL
    SELECT invoice_key, billnum, jobid FROM spoken WHERE NOT EXISTS (SELECT FROM recorded)
) AS found
ORDER BY invoice_key, jobid
