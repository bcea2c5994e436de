-- Drain polls that are in doubt, or were left open, since before a moment: one row.
SELECT
    count(*) AS polls,
    count(*) FILTER (WHERE recovery = 'unproven') AS unproven,
    count(*) FILTER (WHERE outcome = 'open') AS open,
    min(opened_at) AS oldest,
    min(window_from) FILTER (WHERE window_to IS NOT NULL) AS window_from,
    max(window_to) AS window_to,
    (array_agg(DISTINCT recovery_reason) FILTER (WHERE recovery_reason IS NOT NULL))[1:3] AS reasons,
    (array_agg(dag_id ORDER BY poll_id DESC))[1] AS dag_id,
    (array_agg(run_id ORDER BY poll_id DESC))[1] AS run_id
FROM ropo.status_poll
WHERE profile = %(profile)s AND kind = 'drain' AND opened_at <= %(before)s
  AND (recovery IN ('pending', 'unproven') OR outcome = 'open')
