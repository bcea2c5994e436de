-- How many breaks a profile has in each state, and the newest event of any of them: what is decided now is decided of that.
-- Of a profile: the ids of others are given out beside, and say nothing of what is committed here.
SELECT
    (
        SELECT COALESCE(jsonb_object_agg(state, breaks), '{}')
        FROM (
            SELECT state, count(*) AS breaks
            FROM ropo.reconciliation_break
            WHERE profile = %(profile)s
            GROUP BY state
        ) AS counted
    ) AS states,
    COALESCE(
        (
            SELECT event_id
            FROM ropo.reconciliation_break_event
            JOIN ropo.reconciliation_break AS known USING (break_id)
            WHERE known.profile = %(profile)s
            ORDER BY event_id DESC
            LIMIT 1
        ),
        0
    ) AS newest_event
