-- The invoices with an event dated or first stored in a span of time (of business dates: in the market's zone).
INSERT INTO found_key (kind, value)
WITH seed AS (
    SELECT jobid, billnum
    FROM ropo.event_by_day
    WHERE profile = %(profile)s AND statustime >= %(dated_from)s AND statustime < %(dated_to)s
        AND day BETWEEN %(dated_from)s::date AND %(dated_to)s::date
    UNION
    SELECT jobid, billnum
    FROM ropo.event_by_day
    WHERE profile = %(profile)s AND seen_at >= %(seen_from)s AND seen_at < %(seen_to)s
)
SELECT kind, value
FROM (
    SELECT 'jobid' AS kind, jobid AS value, jobid AS near FROM seed WHERE jobid IS NOT NULL
    UNION
    SELECT 'billnum', billnum, COALESCE(jobid, billnum) FROM seed WHERE billnum IS NOT NULL
) AS key
-- An invoice's two keys stand together, so that one question to the ledger names both.
ORDER BY near COLLATE "C"
ON CONFLICT DO NOTHING
