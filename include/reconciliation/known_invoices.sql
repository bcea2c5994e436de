-- A sample of the invoices that Ropo speaks of: those of the newest events.
SELECT DISTINCT ON (COALESCE(jobid, billnum)) jobid, billnum
FROM (
    SELECT jobid, billnum
    FROM ropo.event_by_day
    WHERE profile = %(profile)s
    ORDER BY seen_at DESC
    LIMIT 20 * %(sample)s
) AS newest
ORDER BY COALESCE(jobid, billnum), billnum
LIMIT %(sample)s
