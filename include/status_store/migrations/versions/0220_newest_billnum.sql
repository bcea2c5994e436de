-- The number that a job has: the newest that its rows name, in the one order of events (include/reconciliation/match.sql).
CREATE FUNCTION ropo.newest_billnum(profile text, jobid text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT event.billnum
    FROM ropo.status_event AS event
    WHERE event.profile = newest_billnum.profile AND event.jobid = newest_billnum.jobid COLLATE "C"
        AND event.billnum IS NOT NULL
    ORDER BY
        event.statustime DESC,
        COALESCE(NULLIF(regexp_replace(event.statusid, '[^0-9]', '', 'g'), '')::numeric, -1) DESC,
        event.statusid DESC
    LIMIT 1
);
