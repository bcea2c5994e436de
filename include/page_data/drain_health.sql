-- What the drain brings: one row.
SELECT
    (SELECT max(opened_at) FROM ropo.status_poll WHERE profile = %(profile)s) AS newest_poll,
    ropo.newest_statustime(%(profile)s, %(local)s) AS newest_event,
    (
        SELECT COALESCE(jsonb_agg(events ORDER BY hour), '[]')
        FROM (
            SELECT hour, COALESCE(sum(poll.new_count), 0) AS events
            FROM generate_series(0, 23) AS hour
            LEFT JOIN ropo.status_poll AS poll
                ON poll.profile = %(profile)s
                AND poll.kind = 'drain'
                AND poll.opened_at >= %(now)s - interval '24 hours'
                AND floor(extract(epoch FROM poll.opened_at - (%(now)s - interval '24 hours')) / 3600) = hour
            GROUP BY hour
        ) AS by_hour
    ) AS events_by_hour
