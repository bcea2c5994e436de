-- The dates that doubts need shown whole, each with the doubts that it serves and when each of them was written to be one.
-- What was asked and not shown whole is asked again, but not in every run: nothing may have changed in a quarter hour.
SELECT due.day, due.doubts, due.noticed
FROM (
    SELECT
        each.day,
        array_agg(doubt.poll_id) AS doubts,
        array_agg(doubt.closed_at) AS noticed,
        max(doubt.poll_id) AS newest_doubt,
        bool_and(asked.asked_at IS NOT NULL) AS is_tried
    FROM ropo.status_poll AS doubt
    CROSS JOIN LATERAL generate_series(doubt.window_from, doubt.window_to, interval '1 day') AS series (moment)
    CROSS JOIN LATERAL (SELECT series.moment::date AS day) AS each
    LEFT JOIN ropo.status_poll_window_date AS asked ON asked.poll_id = doubt.poll_id AND asked.business_date = each.day
    WHERE doubt.profile = %(profile)s AND doubt.recovery IN ('pending', 'unproven')
      AND asked.ticked_at IS NULL
    GROUP BY each.day
    HAVING bool_or(
        asked.asked_at IS NULL OR asked.asked_at NOT BETWEEN clock_timestamp() - %(ask_again)s AND clock_timestamp()
    )
) AS due
-- First what was not tried yet, the newest first: a doubt of today does not wait for a window of years. Then what was asked
-- longest ago, by the journal, which has each question before it is sent: a date that is never answered or never whole, or
-- of which the process died, does not hold up the others.
ORDER BY
    due.is_tried,
    (
        SELECT max(asking.poll_id)
        FROM ropo.status_poll AS asking
        WHERE asking.profile = %(profile)s AND asking.kind = 'date' AND asking.filter_value = due.day::text
          AND asking.poll_id > due.newest_doubt
          AND (due.is_tried OR asking.outcome NOT IN ('unsent', 'refused'))
    ) NULLS FIRST,
    due.day DESC
