-- In the order of their key, so that a drain and a re-read that bring the same rows cannot deadlock.
INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, paydate, amount, raw,
    source, first_poll_id, first_seen_at, content_poll_id, content_sha256
)
SELECT
    %(profile)s, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, paydate, amount, raw,
    %(source)s, %(poll_id)s, now(), %(poll_id)s, decode(content_sha256, 'hex')
FROM json_to_recordset(%(events)s::json) AS event (
    statusid text, jobid text, billnum text, statustype text, statustime timestamp, statuscode text, statusref text,
    statustext text, paydate date, amount numeric, raw jsonb, content_sha256 text
)
ORDER BY statusid
ON CONFLICT (profile, statusid) DO NOTHING
