-- Codes that the status map lacks, of every event of a profile, as the reconciliation reads them.
SELECT
    statustype,
    code,
    (array_agg(event.statusref ORDER BY event.statustime DESC, event.number DESC, event.statusid DESC))[1] AS label,
    count(*) AS events
FROM ropo.event_as_read AS event
WHERE event.profile = %(profile)s
GROUP BY 1, 2
ORDER BY 1, 2
