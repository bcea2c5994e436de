-- The numbers that jobs have now of which a row named this number.
SELECT DISTINCT newest.billnum
FROM (
    SELECT DISTINCT jobid
    FROM ropo.status_event
    WHERE profile = %(profile)s AND billnum = %(billnum)s AND jobid IS NOT NULL
) AS job
CROSS JOIN LATERAL ropo.newest_billnum(%(profile)s, job.jobid) AS newest (billnum)
WHERE newest.billnum <> %(billnum)s
ORDER BY newest.billnum
