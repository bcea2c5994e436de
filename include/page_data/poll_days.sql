-- How each day's polls ended, by the day on which they were opened.
SELECT
    (opened_at AT TIME ZONE %(zone)s)::date AS day,
    outcome,
    count(*) AS polls,
    COALESCE(sum(new_count), 0)::bigint AS new_count
FROM ropo.status_poll
WHERE profile = %(profile)s AND opened_at >= %(since)s
GROUP BY 1, 2
ORDER BY 1, 2
