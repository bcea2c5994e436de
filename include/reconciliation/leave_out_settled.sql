-- A full comparison keeps what is not settled (take_unsettled.sql). Most invoices are plainly settled: one job under one
-- number and one ledger row of both, every code known, paid on both sides by the same sums. They are told in one pass and
-- left out here, so that the rules are applied to the rest alone. What is not plain in any respect is kept.

-- sum() of a numeric keeps four hundred bytes for each of millions of groups; a running sum keeps the number.
CREATE AGGREGATE pg_temp.plus(numeric) (SFUNC = numeric_add, STYPE = numeric);

-- The names under which anything is said that is not plain. Both sides are told in one grouping, the ledger's money as
-- negative: what is settled comes to nothing.
CREATE TEMP TABLE kept_name ON COMMIT DROP AS
SELECT jobid, billnum
FROM (
    SELECT
        jobid,
        billnum,
        NULL::boolean AS is_row,
        CASE WHEN statustype = 'payment' AND statustext = ANY(%(paid)s) THEN amount END AS paid,
        CASE WHEN statustype = 'payment' AND statustext = ANY(%(discount)s) THEN amount END AS discount,
        CASE
            WHEN statustype = 'comment' THEN statuscode = ANY(%(endless_comments)s)
            WHEN statustype <> 'payment' THEN statustype || ' ' || statuscode = ANY(%(endless)s)
            WHEN statustext = ANY(%(paid)s) OR statustext = ANY(%(discount)s) THEN amount > 0 IS TRUE
            ELSE statustext = ANY(%(ignored)s)
        END AS is_plain    -- a type in other than small letters is not
    FROM ropo.status_event
    WHERE profile = %(profile)s
    UNION ALL
    SELECT
        jobid,
        billnum,
        true,
        -NULLIF(paid, 0),
        -NULLIF(discount, 0),
        COALESCE(
            status = ANY(%(settling)s)
            AND total > 0
            AND COALESCE(payments_by_ropo, true)
            AND COALESCE(sent_at >= %(start)s, true)
            AND paid + COALESCE(discount, 0) > 0
            AND paid + COALESCE(discount, 0) >= total - COALESCE(credited, 0)
            -- Nothing is open, and the amounts add up; so they are numbers.
            AND total - paid - COALESCE(discount, 0) - COALESCE(credited, 0) - COALESCE(open, 0) = 0
            AND COALESCE(open, 0) <= 0,
            false
        )
    FROM every_row
) AS said
GROUP BY jobid, billnum
HAVING (
    jobid IS NOT NULL
    AND billnum IS NOT NULL
    AND bool_and(is_plain)
    AND count(is_row) = 1
    AND COALESCE(pg_temp.plus(paid), 0) = 0
    AND COALESCE(pg_temp.plus(discount), 0) = 0
) IS NOT TRUE;

-- The jobs that are kept with them, and their rows. A job that is left out leads nowhere else by its jobid.
CREATE TEMP TABLE kept_job ON COMMIT DROP AS
SELECT jobid FROM kept_name WHERE jobid IS NOT NULL
UNION
SELECT jobid FROM every_row WHERE jobid IS NOT NULL GROUP BY jobid HAVING count(*) > 1
UNION
SELECT jobid FROM named_invoice WHERE jobid IS NOT NULL
UNION
-- What resolves a break must be on record.
SELECT jobid FROM ropo.reconciliation_break WHERE profile = %(profile)s AND state <> 'resolved' AND jobid IS NOT NULL;
ANALYZE kept_job;

-- In the order in which they came: of rows alike in all else, it says which stands for its invoice.
INSERT INTO ledger_row (
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at, payments_by_ropo
)
SELECT
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at, payments_by_ropo
FROM every_row
LEFT JOIN kept_job USING (jobid)
WHERE every_row.jobid IS NULL OR kept_job.jobid IS NOT NULL
ORDER BY every_row.ctid;

-- Nor by its number: those are kept too that share one with what is kept. What is plain has a row of both its names, so
-- that its rows tell.
CREATE TEMP TABLE sharing_job ON COMMIT DROP AS
WITH kept_billnum AS (
    SELECT billnum FROM kept_name
    UNION
    SELECT billnum FROM ledger_row
    UNION
    SELECT billnum FROM named_invoice
    UNION
    SELECT substr(invoice_key, 3)
    FROM ropo.reconciliation_break
    WHERE profile = %(profile)s AND state <> 'resolved' AND invoice_key LIKE 'b:%%'
)
SELECT DISTINCT jobid
FROM every_row
JOIN kept_billnum USING (billnum)
LEFT JOIN kept_job USING (jobid)
WHERE every_row.jobid IS NOT NULL AND kept_job.jobid IS NULL;
ANALYZE sharing_job;

INSERT INTO kept_job (jobid) SELECT jobid FROM sharing_job;
INSERT INTO ledger_row (
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at, payments_by_ropo
)
SELECT
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at, payments_by_ropo
FROM every_row
JOIN sharing_job USING (jobid)
ORDER BY every_row.ctid;
DROP TABLE every_row, kept_name, sharing_job;
DROP AGGREGATE pg_temp.plus(numeric);
