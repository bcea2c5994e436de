-- A sample of the invoices that Ropo speaks of: those of the newest events.
SELECT DISTINCT ON (COALESCE(jobid, billnum)) jobid, billnum
FROM (
    SELECT jobid, billnum
    FROM ropo.status_event
    WHERE profile = %(profile)s AND COALESCE(jobid, billnum) IS NOT NULL
    ORDER BY first_seen_at DESC
    LIMIT 20 * %(sample)s
) AS newest
ORDER BY COALESCE(jobid, billnum), billnum
LIMIT %(sample)s
