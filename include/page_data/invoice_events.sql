-- One invoice's events, the newest first. By its number: also what only names one of its jobids.
WITH key AS (
    SELECT jobid
    FROM ropo.status_event
    WHERE profile = %(profile)s AND billnum = %(billnum)s AND jobid IS NOT NULL
    UNION
    SELECT %(jobid)s::text WHERE %(jobid)s::text IS NOT NULL
), found AS (
    SELECT event.*
    FROM key
    JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.jobid = key.jobid
    WHERE %(billnum)s::text IS NULL OR event.billnum IS NULL OR event.billnum = %(billnum)s
    UNION ALL
    SELECT event.*
    FROM ropo.status_event AS event
    WHERE event.profile = %(profile)s AND event.billnum = %(billnum)s AND event.jobid IS NULL
)
SELECT
    statusid, jobid, billnum, lower(statustype) AS statustype, statustime, statuscode, statusref, statustext, paydate,
    amount, raw::text AS raw, source, first_poll_id, first_seen_at, erased_at,
    ARRAY(
        SELECT revision.raw::text
        FROM ropo.status_event_revision AS revision
        WHERE revision.profile = found.profile AND revision.statusid = found.statusid
        ORDER BY revision.revision
    ) AS revisions
FROM found
ORDER BY
    statustime DESC,
    COALESCE(NULLIF(regexp_replace(statusid, '[^0-9]', '', 'g'), '')::numeric, -1) DESC,
    statusid COLLATE "C" DESC
LIMIT %(limit)s
