-- How many breaks a profile has in each state, and the newest event of any break: what is decided now is decided of that.
SELECT
    (
        SELECT coalesce(jsonb_object_agg(state, breaks), '{}')
        FROM (
            SELECT state, count(*) AS breaks
            FROM ropo.reconciliation_break
            WHERE profile = %(profile)s
            GROUP BY state
        ) AS counted
    ) AS states,
    (SELECT coalesce(max(event_id), 0) FROM ropo.reconciliation_break_event) AS newest_event
