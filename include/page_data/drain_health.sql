-- Whether the queue is emptied, what it brings, and what is in doubt: one row.
SELECT
    (
        SELECT closed_at
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty'
        ORDER BY poll_id DESC
        LIMIT 1
    ) AS newest_empty,
    (SELECT max(opened_at) FROM ropo.status_poll WHERE profile = %(profile)s) AS newest_poll,
    (
        SELECT max(statustime) FROM ropo.status_event WHERE profile = %(profile)s AND statustime <= %(local)s
    ) AS newest_event,
    (SELECT max(first_seen_at) FROM ropo.status_event WHERE profile = %(profile)s) AS newest_stored,
    (
        SELECT coalesce(jsonb_object_agg(recovery, polls), '{}')
        FROM (
            SELECT recovery, count(*) AS polls
            FROM ropo.status_poll
            WHERE profile = %(profile)s AND recovery IS NOT NULL
            GROUP BY recovery
        ) AS counted
    ) AS doubts,
    (
        SELECT count(*) FROM ropo.status_quarantine WHERE profile = %(profile)s AND resolved_at IS NULL
    ) AS quarantined,
    (
        SELECT coalesce(jsonb_agg(events ORDER BY hour), '[]')
        FROM (
            SELECT hour, coalesce(sum(poll.new_count), 0) AS events
            FROM generate_series(0, 23) AS hour
            LEFT JOIN ropo.status_poll AS poll
                ON poll.profile = %(profile)s
                AND poll.kind = 'drain'
                AND poll.opened_at >= %(now)s - interval '24 hours'
                AND floor(extract(epoch FROM poll.opened_at - (%(now)s - interval '24 hours')) / 3600) = hour
            GROUP BY hour
        ) AS by_hour
    ) AS events_by_hour
