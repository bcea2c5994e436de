-- What a run's drain brought, the newest event's time by the market's clock, and polls in doubt: one row.
SELECT
    (
        SELECT COALESCE(sum(new_count), 0)::bigint
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND dag_id = %(dag_id)s AND run_id = %(run_id)s
          AND opened_at >= clock_timestamp() - interval '1 day'
    ) AS events_drained,
    ropo.newest_statustime(%(profile)s, %(local)s) AS newest,
    (
        SELECT count(*)
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND recovery IN ('pending', 'unproven')
    ) AS in_doubt
