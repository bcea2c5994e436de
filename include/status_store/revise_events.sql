-- Events that are held with other content. The newest content counts, by the order of the polls that brought it (a page
-- that is parsed late is not new); the other one is kept as a revision.
WITH shown AS (
    SELECT statusid, decode(sha256, 'hex') AS sha256
    FROM json_each_text(%(shown)s::json) AS shown (statusid, sha256)
),

revision AS (
    INSERT INTO ropo.status_event_revision (
        profile, statusid, revision, content_sha256, raw, poll_id, jobid, billnum, statustime
    )
    SELECT
        held.profile,
        held.statusid,
        1 + COALESCE((
            SELECT max(earlier.revision)
            FROM ropo.status_event_revision AS earlier
            WHERE earlier.profile = held.profile AND earlier.statusid = held.statusid
        ), 0),
        CASE WHEN held.content_poll_id <= %(poll_id)s THEN ropo.content_sha256(held) ELSE shown.sha256 END,
        CASE WHEN held.content_poll_id <= %(poll_id)s THEN held.raw ELSE incoming.raw END,
        LEAST(held.content_poll_id, %(poll_id)s),
        CASE WHEN held.content_poll_id <= %(poll_id)s THEN held.jobid ELSE incoming.jobid END,
        CASE WHEN held.content_poll_id <= %(poll_id)s THEN held.billnum ELSE incoming.billnum END,
        CASE WHEN held.content_poll_id <= %(poll_id)s THEN held.statustime ELSE incoming.statustime END
    FROM pg_temp.incoming_event AS incoming
    JOIN shown USING (statusid)
    JOIN ropo.status_event AS held ON held.profile = %(profile)s AND held.statusid = incoming.statusid
)

UPDATE ropo.status_event AS held
SET
    jobid = incoming.jobid,
    billnum = incoming.billnum,
    statustype = incoming.statustype,
    statustime = incoming.statustime,
    statuscode = incoming.statuscode,
    statusref = incoming.statusref,
    statustext = incoming.statustext,
    paydate = incoming.paydate,
    amount = incoming.amount,
    raw = incoming.raw,
    content_poll_id = %(poll_id)s,
    content_sha256 = CASE WHEN held.erased_at IS NOT NULL THEN shown.sha256 END
FROM pg_temp.incoming_event AS incoming
JOIN shown USING (statusid)
WHERE held.profile = %(profile)s
  AND held.statusid = incoming.statusid
  AND held.content_poll_id <= %(poll_id)s
RETURNING held.statustime::date, held.first_seen_at
