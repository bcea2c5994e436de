-- One invoice's events, the newest first. By its number: all those of its jobs, whose newest number it is, whatever number
-- a row of theirs names, as the comparison takes them.
WITH job AS (
    SELECT jobid
    FROM ropo.status_event
    WHERE profile = %(profile)s AND billnum = %(billnum)s AND jobid IS NOT NULL
    UNION
    (
        -- Where no row of a job names a number, the ledger's row of that job does.
        SELECT jobid COLLATE "C"
        FROM ropo.reconciliation_item
        WHERE profile = %(profile)s AND invoice_key = 'b:' || %(billnum)s
        ORDER BY reconciliation_id DESC
        LIMIT 1
    )
    UNION
    SELECT %(jobid)s::text WHERE %(jobid)s::text IS NOT NULL
), own_job AS MATERIALIZED (
    -- Once a job: after the join it would be asked once an event.
    SELECT job.jobid
    FROM job
    CROSS JOIN LATERAL ropo.newest_billnum(%(profile)s, job.jobid) AS newest (billnum)
    WHERE %(billnum)s::text IS NULL OR newest.billnum IS NULL OR newest.billnum = %(billnum)s
), found AS (
    SELECT event.statusid, event.statustime
    FROM own_job
    JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.jobid = own_job.jobid
    UNION ALL
    SELECT event.statusid, event.statustime
    FROM ropo.status_event AS event
    WHERE event.profile = %(profile)s AND event.billnum = %(billnum)s AND event.jobid IS NULL
), newest AS (
    -- Of those that are shown alone: what is wide, and what has to be looked for.
    SELECT statusid
    FROM found
    ORDER BY statustime DESC, ropo.statusid_number(statusid) DESC, statusid COLLATE "C" DESC
    LIMIT %(limit)s
)
SELECT
    statusid, jobid, billnum, lower(statustype) AS statustype, statustime, statuscode, statusref, statustext, paydate,
    amount, raw::text AS raw, source, first_poll_id, first_seen_at, erased_at,
    ARRAY(
        SELECT revision.raw::text
        FROM ropo.status_event_revision AS revision
        WHERE revision.profile = event.profile AND revision.statusid = event.statusid
        ORDER BY revision.revision
    ) AS revisions
FROM newest
JOIN ropo.status_event AS event USING (statusid)
WHERE event.profile = %(profile)s
ORDER BY
    statustime DESC,
    ropo.statusid_number(statusid) DESC,
    statusid COLLATE "C" DESC
