-- The days of events that a process has stored which has run on since before `make migrate` brought event_day, looked for on
-- the day after it alone. From one moment to the next through the index: there is one for each page.
WITH RECURSIVE moment AS (
    (
        SELECT first_seen_at AS seen_at, profile
        FROM ropo.status_event
        -- Its transaction may have begun before the migration's.
        WHERE first_seen_at >= ropo.days_noted_since() - interval '1 hour'
            AND ropo.days_noted_since() > now() - interval '1 day'
        ORDER BY first_seen_at
        LIMIT 1
    )
    UNION ALL
    SELECT following.seen_at, following.profile
    FROM moment
    CROSS JOIN LATERAL (
        SELECT first_seen_at AS seen_at, profile
        FROM ropo.status_event
        WHERE first_seen_at > moment.seen_at
        ORDER BY first_seen_at
        LIMIT 1
    ) AS following
), missed AS MATERIALIZED (
    SELECT seen_at
    FROM moment
    WHERE NOT EXISTS (
        SELECT FROM ropo.event_day AS noted WHERE noted.profile = moment.profile AND noted.seen_at = moment.seen_at
    )
)
INSERT INTO ropo.event_day (profile, day, seen_at)
SELECT DISTINCT event.profile, event.day, missed.seen_at
FROM missed
CROSS JOIN LATERAL (
    SELECT profile, statustime::date AS day FROM ropo.status_event WHERE first_seen_at = missed.seen_at OFFSET 0
) AS event
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
RETURNING profile, day
