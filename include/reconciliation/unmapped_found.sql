-- Codes that the status map lacks, of the population's events.
SELECT
    found.statustype,
    found.code,
    (array_agg(event.statusref ORDER BY event.statustime DESC, event.statusid COLLATE "C"))[1] AS label,
    count(*) AS events
FROM found_event AS found
JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.statusid = found.statusid
WHERE NOT EXISTS (
    SELECT FROM code_meaning AS meaning WHERE meaning.statustype = found.statustype AND meaning.code = found.code
)
GROUP BY 1, 2
ORDER BY 1, 2
