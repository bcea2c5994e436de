-- The numbers that jobs have now of which a row named this number.
SELECT DISTINCT newest.billnum
FROM (
    SELECT DISTINCT jobid
    FROM ropo.status_event
    WHERE profile = %(profile)s AND billnum = %(billnum)s AND jobid IS NOT NULL
) AS job
CROSS JOIN LATERAL (
    SELECT billnum
    FROM ropo.status_event AS named
    WHERE named.profile = %(profile)s AND named.jobid = job.jobid AND named.billnum IS NOT NULL
    ORDER BY
        statustime DESC,
        COALESCE(NULLIF(regexp_replace(statusid, '[^0-9]', '', 'g'), '')::numeric, -1) DESC,
        statusid COLLATE "C" DESC
    LIMIT 1
) AS newest
WHERE newest.billnum <> %(billnum)s
ORDER BY newest.billnum
