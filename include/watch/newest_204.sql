-- When the queue was last seen empty, and what became of the polls since a moment: one row.
SELECT
    (
        SELECT closed_at
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty'
            -- What lies ahead was written by a clock that ran ahead, and says nothing of when it was.
            AND closed_at <= %(now)s
        ORDER BY poll_id DESC
        LIMIT 1
    ) AS newest,
    (
        SELECT opened_at
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain'
        ORDER BY opened_at
        LIMIT 1
    ) AS first_poll,
    (
        SELECT COALESCE(jsonb_object_agg(outcome, polls), '{}')
        FROM (
            SELECT outcome, count(*) AS polls
            FROM ropo.status_poll
            WHERE profile = %(profile)s AND kind = 'drain' AND opened_at >= %(since)s
            GROUP BY outcome
        ) AS counted
    ) AS outcomes,
    (
        SELECT COALESCE(sum(new_count), 0)
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND opened_at >= %(since)s
    ) AS events,
    newest_run.dag_id,
    newest_run.run_id
FROM (SELECT 1) AS once
LEFT JOIN LATERAL (
    SELECT dag_id, run_id
    FROM ropo.status_poll
    WHERE profile = %(profile)s AND kind = 'drain'
    ORDER BY opened_at DESC
    LIMIT 1
) AS newest_run ON true
