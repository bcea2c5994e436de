-- The events, of any date, of the keys that were found since the last time.
INSERT INTO found_event (statusid, jobid, billnum, statustype, code, statustime, number, amount, is_seed)
SELECT
    event.statusid,
    event.jobid,
    event.billnum,
    lower(event.statustype),
    CASE WHEN lower(event.statustype) = 'payment' THEN event.statustext ELSE event.statuscode END,
    event.statustime,
    -- An id without digits comes before those with some.
    COALESCE(NULLIF(regexp_replace(event.statusid, '[^0-9]', '', 'g'), '')::numeric, -1),
    event.amount,
    (event.statustime >= %(dated_from)s AND event.statustime < %(dated_to)s)
        OR (event.first_seen_at >= %(seen_from)s AND event.first_seen_at < %(seen_to)s)
FROM (
    SELECT event.*
    FROM found_key AS key
    JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.jobid = key.value
    WHERE key.kind = 'jobid' AND NOT key.is_pulled
    UNION ALL
    SELECT event.*
    FROM found_key AS key
    JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.billnum = key.value
    WHERE key.kind = 'billnum' AND NOT key.is_pulled
) AS event
ON CONFLICT DO NOTHING;

UPDATE found_key SET is_pulled = true WHERE NOT is_pulled;

INSERT INTO found_key (kind, value)
SELECT 'jobid', jobid FROM found_event WHERE jobid IS NOT NULL
UNION
SELECT 'billnum', billnum FROM found_event WHERE billnum IS NOT NULL
ON CONFLICT DO NOTHING
