-- All dates ticked: recovered. All asked and not all ticked: unproven, with the first reasons. Else pending still.
UPDATE ropo.status_poll AS doubt
SET recovery = CASE
        WHEN progress.ticked = progress.days THEN 'recovered'
        WHEN progress.asked = progress.days THEN 'unproven'
        ELSE 'pending'
    END,
    recovered_at = CASE WHEN progress.ticked = progress.days THEN clock_timestamp() END,
    recovered_count = progress.brought,
    recovery_reason = CASE WHEN progress.ticked < progress.days THEN progress.reasons END
FROM (
    SELECT
        poll.poll_id,
        poll.window_to - poll.window_from + 1 AS days,
        count(asked.business_date) AS asked,
        count(asked.ticked_at) AS ticked,
        COALESCE(sum(asked.brought), 0) AS brought,
        array_to_string(
            (array_agg(asked.reason ORDER BY asked.business_date) FILTER (WHERE asked.ticked_at IS NULL))[1:5], '; '
        ) AS reasons
    FROM ropo.status_poll AS poll
    LEFT JOIN ropo.status_poll_window_date AS asked
        ON asked.poll_id = poll.poll_id AND asked.business_date BETWEEN poll.window_from AND poll.window_to
    WHERE poll.profile = %(profile)s AND poll.recovery IN ('pending', 'unproven')
    GROUP BY poll.poll_id
) AS progress
WHERE doubt.poll_id = progress.poll_id AND doubt.recovery IN ('pending', 'unproven')
