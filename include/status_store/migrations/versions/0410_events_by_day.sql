-- What others are about to commit is noted too: they are waited for before anything is looked at.
LOCK TABLE ropo.status_event IN ACCESS EXCLUSIVE MODE;

-- Which days the events are dated that were stored at one moment: the moment is that of the transaction, so that a page of a
-- drain is a row, or a few. An index over all events by day cost each page of a drain more than all of its own rows here.
CREATE TABLE ropo.event_day (
    profile text NOT NULL,
    day date NOT NULL,              -- of statustime: by the market's wall clock
    seen_at timestamptz NOT NULL,   -- the events' first_seen_at
    PRIMARY KEY (profile, day, seen_at)
);
CREATE INDEX event_day_by_seen ON ropo.event_day (profile, seen_at);
-- Of all events, whoever has stored them.
CREATE FUNCTION ropo.note_days() RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO ropo.event_day (profile, day, seen_at)
    SELECT DISTINCT profile, statustime::date, first_seen_at
    FROM ropo.status_event
    ON CONFLICT DO NOTHING;
END;
SELECT ropo.note_days();
ANALYZE ropo.event_day;

-- When this store was given its event_day: a process that has run on since before notes no days (note_missed.sql).
DO $$
BEGIN
    EXECUTE format(
        'CREATE FUNCTION ropo.days_noted_since() RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE '
        'RETURN timestamptz %L',
        now()
    );
END
$$;

CREATE INDEX status_event_by_seen ON ropo.status_event (first_seen_at, statustime);
DROP INDEX ropo.status_event_by_day, ropo.status_event_by_first_seen;

-- The events, each once, for conditions on their `day` or on when they were stored (`seen_at`). A row of event_day may have
-- no event any more, where other content of one has moved it to another day.
-- OFFSET 0: row by row of event_day, through the index. Without statistics PostgreSQL would join all events first.
CREATE VIEW ropo.event_by_day AS
SELECT
    noted.profile, noted.day, noted.seen_at, event.statusid, event.jobid, event.billnum, event.statustime,
    event.first_poll_id, event.erased_at
FROM ropo.event_day AS noted
CROSS JOIN LATERAL (
    SELECT statusid, jobid, billnum, statustime, first_poll_id, erased_at
    FROM ropo.status_event AS event
    WHERE event.first_seen_at = noted.seen_at
        AND event.statustime >= noted.day AND event.statustime < noted.day + 1
        AND event.profile = noted.profile
    OFFSET 0
) AS event;

-- The newest time of a profile's events that is not after `until`, day by day back from it.
CREATE FUNCTION ropo.newest_statustime(of_profile text, until timestamp) RETURNS timestamp LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT found.newest
    FROM (
        SELECT DISTINCT day FROM ropo.event_day WHERE profile = of_profile AND day <= until::date ORDER BY day DESC
    ) AS noted
    CROSS JOIN LATERAL (
        SELECT max(last.statustime) AS newest
        FROM ropo.event_day AS stored
        CROSS JOIN LATERAL (
            SELECT event.statustime
            FROM ropo.status_event AS event
            WHERE event.first_seen_at = stored.seen_at
                AND event.statustime >= stored.day AND event.statustime < stored.day + 1 AND event.statustime <= until
                AND event.profile = of_profile
            ORDER BY event.statustime DESC
            LIMIT 1
        ) AS last
        WHERE stored.profile = of_profile AND stored.day = noted.day
    ) AS found
    WHERE found.newest IS NOT NULL
    ORDER BY noted.day DESC
    LIMIT 1
);
