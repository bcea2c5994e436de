-- Codes that the status map lacks, of every event of a profile, as the reconciliation reads them.
SELECT
    lower(event.statustype) AS statustype,
    CASE WHEN lower(event.statustype) = 'payment' THEN event.statustext ELSE event.statuscode END AS code,
    (array_agg(event.statusref ORDER BY event.statustime DESC, event.statusid COLLATE "C"))[1] AS label,
    count(*) AS events
FROM ropo.status_event AS event
WHERE event.profile = %(profile)s
GROUP BY 1, 2
ORDER BY 1, 2
