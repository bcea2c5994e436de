-- A full comparison keeps what is not settled (take_unsettled.sql). Most invoices are plainly settled: one job under one
-- number and one ledger row of both (infer_jobs.sql), every code known, paid on both sides by the same sums. They are told
-- and left out here, so that the rules are applied to the rest alone. What is not plain in any respect is kept: its events
-- in `kept_event`, its ledger rows in `kept_row`.
-- The passes over all events and rows are CREATE TABLE AS of tables that are no temporary ones: PostgreSQL shares out such
-- work among its processes, and no other.

-- sum() of a numeric keeps four hundred bytes for each of millions of groups; a running sum keeps the number.
CREATE AGGREGATE pg_temp.plus(numeric) (SFUNC = numeric_add, STYPE = numeric, PARALLEL = SAFE);

-- The jobs of which a code, the money or the ledger's row is not plain. Both sides are told in one grouping, the ledger's
-- money as negative: what is settled comes to nothing. Most events say nothing of money and have a code that is plain;
-- they stay out of it. A type in other than small letters is not plain. A plain row counts 1, whatever is not plain 2, a plain
-- payment nothing: 1 is one plain row, and plain payments alone.
-- A grouping by hash is one process's work. Before one by order each process sorts what it has read.
SET LOCAL enable_hashagg = off;
CREATE UNLOGGED TABLE {kept_job} AS
SELECT jobid, true AS is_whole
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
    SELECT
        jobid,
        CASE WHEN
            billnum IS NOT NULL
            AND status = ANY(%(settling)s)
            AND total > 0
            AND COALESCE(payments_by_ropo, true)
            AND COALESCE(sent_at >= %(start)s, true)
            AND paid > 0
            -- Nothing is open, and the amounts add up; so they are numbers, and all that is to be paid is paid. Of a credit
            -- Ropo One may not have been told.
            AND COALESCE(open, 0) <= 0
            AND COALESCE(credited, 0) = 0
            AND total - paid - COALESCE(discount, 0) - COALESCE(open, 0) = 0
        THEN 1 ELSE 2 END,
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
INSERT INTO {kept_job} (jobid, is_whole)
SELECT DISTINCT jobid, true
FROM named_invoice AS named
WHERE jobid IS NOT NULL AND NOT EXISTS (SELECT FROM {kept_job} AS kept WHERE kept.jobid = named.jobid);
ANALYZE {kept_job};

-- All events but those under both names of a row whose job is plain so far.
CREATE TEMP TABLE kept_event ON COMMIT DROP AS
SELECT
    -- Names are compared as those of what was recorded before: it has its indexes so.
    event.statusid COLLATE "default" AS statusid,
    event.jobid COLLATE "default" AS jobid,
    event.billnum COLLATE "default" AS billnum,
    event.statustype, event.code, event.statustime, event.amount, event.first_seen_at
FROM ropo.event_as_read AS event
LEFT JOIN (
    SELECT jobid, billnum
    FROM {every_row} AS booked
    WHERE NOT EXISTS (SELECT FROM {kept_job} AS kept WHERE kept.jobid = booked.jobid)
) AS settled USING (jobid, billnum)
WHERE event.profile = %(profile)s AND settled.jobid IS NULL;
ANALYZE kept_event;

-- The rows of what is kept. A job that is left out leads nowhere else, neither by its jobid nor by its number: a row is
-- kept too where another number is said of its job (of which not the whole is kept so far), or its number of what is kept.
INSERT INTO {kept_job} (jobid, is_whole)
SELECT DISTINCT jobid, false
FROM kept_event AS event
WHERE jobid IS NOT NULL AND NOT EXISTS (SELECT FROM {kept_job} AS kept WHERE kept.jobid = event.jobid);
CREATE UNLOGGED TABLE {kept_billnum} AS
SELECT billnum FROM kept_event WHERE billnum IS NOT NULL
UNION
SELECT billnum FROM named_invoice WHERE billnum IS NOT NULL;
ANALYZE {kept_job};
ANALYZE {kept_billnum};
-- By joins, which go to disk where memory does not do; a list of what is kept would be gone through for each row then.
CREATE TEMP TABLE kept_row ON COMMIT DROP AS
SELECT booked.*, COALESCE(kept_job.is_whole, false) AS is_whole, kept_billnum.billnum IS NULL AS brings_billnum
FROM {every_row} AS booked
LEFT JOIN {kept_job} AS kept_job USING (jobid)
LEFT JOIN {kept_billnum} AS kept_billnum USING (billnum)
WHERE booked.jobid IS NULL OR kept_job.jobid IS NOT NULL OR kept_billnum.billnum IS NOT NULL;

-- These rows may bring numbers of their own. What is plain has a row of both its names, so that no more can follow.
CREATE TEMP TABLE brought_billnum ON COMMIT DROP AS
SELECT DISTINCT billnum FROM kept_row WHERE brings_billnum;
ANALYZE brought_billnum;
INSERT INTO kept_row
SELECT booked.*, false, true
FROM {every_row} AS booked
WHERE billnum IN (SELECT billnum FROM brought_billnum)
    AND jobid IS NOT NULL AND NOT EXISTS (SELECT FROM {kept_job} AS kept WHERE kept.jobid = booked.jobid);
ANALYZE kept_row;

-- The events under both names of rows that are kept though their jobs are plain.
INSERT INTO kept_event
SELECT event.statusid, event.jobid, event.billnum, statustype, code, statustime, event.amount, first_seen_at
FROM kept_row
JOIN ropo.event_as_read AS event USING (jobid, billnum)
WHERE event.profile = %(profile)s AND NOT kept_row.is_whole;

DROP TABLE {every_row}, {kept_job}, {kept_billnum}, brought_billnum;
DROP AGGREGATE pg_temp.plus(numeric);
