-- An ERP need not store Ropo One's jobid. A row without one is given the job that is said under its number, so that what is
-- plain can be told by both names. Where several jobs are said under the number nobody could say which: it has none, and is
-- not plain. For the rules no row has such a jobid (keep_rest.sql): they are not told more than the ledger tells.
-- By order, as in leave_out_settled.sql.
SET LOCAL enable_hashagg = off;
CREATE TEMP TABLE said_job ON COMMIT DROP AS
SELECT billnum, min(jobid) AS jobid
FROM ropo.status_event
WHERE profile = %(profile)s AND billnum IN (SELECT billnum FROM {every_row} WHERE jobid IS NULL)
GROUP BY billnum
HAVING min(jobid) = max(jobid);
SET LOCAL enable_hashagg = DEFAULT;
ANALYZE said_job;

UPDATE {every_row} AS booked
SET jobid = said_job.jobid, lacks_jobid = true
FROM said_job
WHERE booked.jobid IS NULL AND booked.billnum = said_job.billnum;
DROP TABLE said_job;
ANALYZE {every_row} (jobid, billnum)
