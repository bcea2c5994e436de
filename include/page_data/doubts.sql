-- Drain polls in doubt: those that wait for somebody first, then the newest.
SELECT
    poll.poll_id, poll.opened_at, poll.http_status, poll.error, poll.window_from, poll.window_to, poll.bounded,
    poll.recovery, poll.recovery_reason, poll.recovered_count, poll.recovered_at, poll.accepted_by,
    poll.accepted_note, poll.dag_id, poll.run_id,
    COALESCE(asked.dates, '[]'::jsonb) AS asked
FROM ropo.status_poll AS poll
CROSS JOIN LATERAL (
    SELECT jsonb_agg(
        jsonb_build_object(
            'date', window_date.business_date, 'is_shown', window_date.ticked_at IS NOT NULL,
            'brought', window_date.brought, 'reason', window_date.reason
        )
        ORDER BY window_date.business_date
    ) AS dates
    FROM ropo.status_poll_window_date AS window_date
    WHERE window_date.poll_id = poll.poll_id
) AS asked
WHERE poll.profile = %(profile)s AND poll.recovery IS NOT NULL
ORDER BY poll.recovery NOT IN ('unproven', 'pending'), poll.poll_id DESC
LIMIT %(limit)s
