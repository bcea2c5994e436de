-- A task has one failure at a time, and each date's is told before the next takes its place: of each task the oldest mark
-- alone, and none while a failure of it waits to be told.
DELETE FROM ropo.task_under_way AS mark
USING (
    SELECT DISTINCT ON (task) profile, task, run_id
    FROM ropo.task_under_way
    WHERE profile = %(profile)s AND until <= %(now)s
    ORDER BY task, until, run_id
) AS oldest
WHERE mark.profile = oldest.profile AND mark.task = oldest.task AND mark.run_id = oldest.run_id
    -- Once more, as it is now: it may have begun again meanwhile.
    AND mark.until <= %(now)s
    AND NOT EXISTS (
        SELECT
        FROM ropo.alert
        WHERE alert.profile = mark.profile AND alert.topic = %(topic)s AND alert.subject = mark.task
            AND alert.ended_at IS NULL AND alert.told_at IS NULL
    )
RETURNING mark.task, mark.run_id, mark.business_date, mark.until
