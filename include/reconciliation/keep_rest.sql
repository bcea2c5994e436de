-- What is neither plainly settled nor plainly open is for the rules: its events and rows, and all that share a name with it.

CREATE UNLOGGED TABLE {rest_job} AS
SELECT jobid
FROM {kept_job} AS kept
WHERE NOT EXISTS (SELECT FROM {open_row} AS aside WHERE aside.jobid = kept.jobid);
ANALYZE {rest_job};

-- All events of these jobs, and those without a job.
CREATE TEMP TABLE kept_event ON COMMIT DROP AS
SELECT
    -- Names are compared as those of what was recorded before: it has its indexes so.
    statusid COLLATE "default" AS statusid,
    jobid COLLATE "default" AS jobid,
    billnum COLLATE "default" AS billnum,
    statustype, code, statustime, amount, first_seen_at
FROM (
    SELECT event.* FROM {rest_job} JOIN ropo.event_as_read AS event USING (jobid)
    UNION ALL
    SELECT * FROM ropo.event_as_read WHERE jobid IS NULL
) AS event
WHERE profile = %(profile)s;
ANALYZE kept_event;

-- The numbers that lead to further rows. One that is of an invoice which is set aside, and of nothing else so far, leads to
-- rows of other jobs alone.
CREATE UNLOGGED TABLE {kept_billnum} AS
SELECT billnum, CASE WHEN count(*) = 1 THEN max(jobid) END AS open_job
FROM (
    SELECT billnum, jobid FROM {open_row}
    UNION ALL
    SELECT billnum, NULL FROM kept_event WHERE billnum IS NOT NULL
    UNION ALL
    SELECT billnum, NULL FROM named_invoice WHERE billnum IS NOT NULL
) AS said
GROUP BY billnum;
ANALYZE {kept_billnum};

-- A job that is left out leads nowhere else, neither by its jobid nor by its number: a row is kept too where its number is of
-- what is kept.
-- By joins, which go to disk where memory does not do; a list of what is kept would be gone through for each row then.
CREATE TEMP TABLE kept_row ON COMMIT DROP AS
SELECT booked.*, rest.jobid IS NOT NULL AS is_whole, number.billnum IS NULL AS brings_billnum
FROM {every_row} AS booked
LEFT JOIN {rest_job} AS rest USING (jobid)
LEFT JOIN {kept_billnum} AS number USING (billnum)
WHERE booked.jobid IS NULL
    OR rest.jobid IS NOT NULL
    OR number.billnum IS NOT NULL AND number.open_job IS DISTINCT FROM booked.jobid;

-- These rows may bring numbers of their own. What is plain has a row of both its names, so that no more can follow.
CREATE TEMP TABLE brought_billnum ON COMMIT DROP AS
SELECT DISTINCT billnum FROM kept_row WHERE brings_billnum;
ANALYZE brought_billnum;
INSERT INTO kept_row
SELECT booked.*, false, true
FROM {every_row} AS booked
WHERE billnum IN (SELECT billnum FROM brought_billnum)
    AND jobid IS NOT NULL AND NOT EXISTS (SELECT FROM {rest_job} AS rest WHERE rest.jobid = booked.jobid);
ANALYZE kept_row;

-- What is set aside is plainly open where its number is its own, and nothing of it has a break or waits in quarantine.
CREATE TEMP TABLE shared_name ON COMMIT DROP AS
SELECT NULL AS jobid, billnum FROM kept_row
UNION ALL
SELECT jobid, NULL FROM named_invoice;
ANALYZE shared_name;
-- None of what is joined is small, whatever PostgreSQL makes of the conditions.
SET LOCAL enable_nestloop = off;
INSERT INTO plainly_open (
    invoice_key, jobid, billnum, event_count, stage, status, ledger_stage, total, paid, discount, credited, open, currency
)
SELECT
    'b:' || billnum, jobid, billnum, event_count, stage, status, ledger_stage, total, paid, discount, credited, open, currency
FROM {open_row} AS aside
WHERE NOT EXISTS (SELECT FROM shared_name AS other WHERE other.jobid = aside.jobid)
    AND NOT EXISTS (SELECT FROM shared_name AS other WHERE other.billnum = aside.billnum);
ANALYZE plainly_open;
INSERT INTO kept_row
SELECT
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at,
    payments_by_ropo, lacks_jobid, false, false
FROM {open_row} AS aside
WHERE NOT EXISTS (SELECT FROM plainly_open WHERE plainly_open.jobid = aside.jobid)
    AND NOT EXISTS (SELECT FROM kept_row WHERE kept_row.jobid = aside.jobid);
SET LOCAL enable_nestloop = DEFAULT;
ANALYZE kept_row;

-- The events of rows that are kept though their jobs are plain.
INSERT INTO kept_event
SELECT event.statusid, event.jobid, event.billnum, statustype, code, statustime, event.amount, first_seen_at
FROM kept_row
JOIN ropo.event_as_read AS event USING (jobid, billnum)
WHERE event.profile = %(profile)s AND NOT kept_row.is_whole;

INSERT INTO found_event (statusid, jobid, billnum, statustype, code, statustime, number, amount, seen_on)
SELECT
    statusid, jobid, billnum, statustype, code, statustime, ropo.statusid_number(statusid), amount,
    (first_seen_at AT TIME ZONE %(timezone)s)::date
FROM kept_event;
INSERT INTO ledger_row (
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at, payments_by_ropo
)
SELECT
    batch, billnum, CASE WHEN lacks_jobid THEN NULL ELSE jobid END, status, total, paid, discount, credited, open, currency,
    sent_at, changed_at, payments_by_ropo
FROM kept_row;

DROP TABLE
    {every_row}, {kept_job}, {open_row}, {rest_job}, {kept_billnum}, kept_event, kept_row, brought_billnum, shared_name
