-- A full comparison keeps what is not settled (take_unsettled.sql). Most invoices are plainly settled: one job under one
-- number and one ledger row of both (infer_jobs.sql), every code known, paid on both sides by the same sums. They are told
-- and left out here, so that the rules are applied to the rest alone. What is not plain in any respect is kept, by its job.
-- The passes over all events and rows are CREATE TABLE AS of tables that are no temporary ones: PostgreSQL shares out such
-- work among its processes, and no other.

-- sum() of a numeric keeps four hundred bytes for each of millions of groups; a running sum keeps the number.
CREATE AGGREGATE pg_temp.plus(numeric) (SFUNC = numeric_add, STYPE = numeric, PARALLEL = SAFE);

-- The jobs of which a code, the money, a name or the ledger's row is not plain. Both sides are told in one grouping, the
-- ledger's money as negative: what is settled comes to nothing. Most events say nothing of money, have a code that is plain
-- and bear both names of a row; they stay out of it. A type in other than small letters is not plain. A plain row counts 1,
-- whatever is not plain 2, a plain payment nothing: 1 is one plain row, and plain payments alone.
-- A grouping by hash is one process's work. Before one by order each process sorts what it has read.
SET LOCAL enable_hashagg = off;
CREATE UNLOGGED TABLE {kept_job} AS
SELECT jobid, count(*) = 1 AND sum(counted) = 3 AS is_open
FROM (
    SELECT
        jobid,
        CASE WHEN (
            statustype = 'payment' AND CASE
                WHEN statustext = ANY(%(paid)s) OR statustext = ANY(%(discount)s) THEN amount > 0 IS TRUE
                ELSE statustext = ANY(%(ignored)s)
            END
        ) IS NOT TRUE THEN 2 END AS counted,
        CASE WHEN statustype = 'payment' AND statustext = ANY(%(paid)s) THEN amount END AS paid,
        CASE WHEN statustype = 'payment' AND statustext = ANY(%(discount)s) THEN amount END AS discount
    FROM ropo.status_event
    WHERE profile = %(profile)s AND jobid IS NOT NULL
        AND NOT CASE statustype
            WHEN 'comment' THEN statuscode = ANY(%(endless_comments)s)
            WHEN 'payment' THEN false
            ELSE length(statustype) || ' ' || statustype || ' ' || statuscode = ANY(%(endless)s)
        END
    UNION ALL
    -- The events of whose two names there is no row. An index has the names, job by job.
    SELECT jobid, 2, NULL, NULL
    FROM ropo.status_event AS event
    LEFT JOIN {every_row} AS booked USING (jobid, billnum)
    WHERE event.profile = %(profile)s AND jobid IS NOT NULL AND booked.jobid IS NULL
    UNION ALL
    SELECT
        jobid,
        CASE
            WHEN (
                total > 0
                AND COALESCE(payments_by_ropo, true)
                AND COALESCE(sent_at >= %(start)s, true)
                -- Of a credit Ropo One may not have been told.
                AND COALESCE(credited, 0) = 0
            ) IS NOT TRUE THEN 2
            -- Nothing is open, and the amounts add up; so they are numbers, and all that is to be paid is paid.
            WHEN paid > 0
                AND COALESCE(open, 0) <= 0
                AND total - paid - COALESCE(discount, 0) - COALESCE(open, 0) = 0
                AND status = ANY(%(settling)s)
            THEN 1
            WHEN paid = 0 AND COALESCE(discount, 0) = 0 AND COALESCE(open, total) = total THEN 3
            ELSE 2
        END,
        -paid,
        -NULLIF(discount, 0)
    FROM {every_row}
    WHERE jobid IS NOT NULL
) AS said
GROUP BY jobid
HAVING (
    sum(counted) = 1
    AND pg_temp.plus(paid) = 0
    AND COALESCE(pg_temp.plus(discount), 0) = 0
) IS NOT TRUE;
SET LOCAL enable_hashagg = DEFAULT;

-- What has a break is named: what resolves it must be on record.
INSERT INTO {kept_job} (jobid, is_open)
SELECT DISTINCT jobid, false
FROM named_invoice AS named
WHERE jobid IS NOT NULL AND NOT EXISTS (SELECT FROM {kept_job} AS kept WHERE kept.jobid = named.jobid);
ANALYZE {kept_job};
DROP AGGREGATE pg_temp.plus(numeric);
