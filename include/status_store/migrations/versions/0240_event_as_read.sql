-- The number in a statusid, the order of events of one second: what is left without all that is no digit. An id without
-- digits comes before those with some.
CREATE FUNCTION ropo.statusid_number(statusid text) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN COALESCE(NULLIF(translate(statusid, translate(statusid, '0123456789', ''), ''), '')::numeric, -1);

-- An event as the rules of the comparison read it. Its code is a payment's type number, else its statuscode.
CREATE VIEW ropo.event_as_read AS
SELECT
    profile,
    statusid,
    jobid,
    billnum,
    lower(statustype) AS statustype,
    CASE WHEN lower(statustype) = 'payment' THEN statustext ELSE statuscode END AS code,
    statusref,
    statustime,
    ropo.statusid_number(statusid) AS number,
    amount,
    first_seen_at
FROM ropo.status_event;

CREATE OR REPLACE FUNCTION ropo.newest_billnum(profile text, jobid text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT event.billnum
    FROM ropo.event_as_read AS event
    WHERE event.profile = newest_billnum.profile AND event.jobid = newest_billnum.jobid COLLATE "C"
        AND event.billnum IS NOT NULL
    ORDER BY event.statustime DESC, event.number DESC, event.statusid DESC
    LIMIT 1
);
