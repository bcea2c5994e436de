-- Every event of what is not settled: where all time is compared, there are no keys to follow.
INSERT INTO found_event (statusid, jobid, billnum, statustype, code, statustime, number, amount, seen_on)
SELECT
    event.statusid,
    event.jobid,
    event.billnum,
    lower(event.statustype),
    CASE WHEN lower(event.statustype) = 'payment' THEN event.statustext ELSE event.statuscode END,
    event.statustime,
    -- What is left without all that is no digit; an id without digits comes before those with some.
    COALESCE(NULLIF(translate(event.statusid, translate(event.statusid, '0123456789', ''), ''), '')::numeric, -1),
    event.amount,
    (event.first_seen_at AT TIME ZONE %(timezone)s)::date
FROM (
    SELECT event.*
    FROM kept_job
    JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.jobid = kept_job.jobid
    UNION ALL
    SELECT event.* FROM ropo.status_event AS event WHERE event.profile = %(profile)s AND event.jobid IS NULL
) AS event
