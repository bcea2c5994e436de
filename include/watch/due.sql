-- What was found is written, and returned what is to be told now: what is new or says something else, and reminders.
-- A reminder is due half a look earlier, since a look that begins some seconds before yesterday's would leave it to the
-- next one, each day anew. It takes along those that are due within `together`, so that what was found at several
-- hours is one message a day.
WITH written AS (
    -- In the order of their key, so that two tasks that find the same things cannot deadlock.
    INSERT INTO ropo.alert (profile, topic, subject, fingerprint, found_at)
    SELECT %(profile)s, %(topic)s, subject, fingerprint, %(now)s
    FROM unnest(%(subjects)s::text[], %(fingerprints)s::text[]) AS found (subject, fingerprint)
    ORDER BY subject
    ON CONFLICT (profile, topic, subject) DO UPDATE
    SET fingerprint = excluded.fingerprint,
        found_at = CASE
            WHEN alert.ended_at IS NULL AND alert.fingerprint = excluded.fingerprint THEN alert.found_at
            ELSE excluded.found_at
        END,
        told_at = CASE WHEN alert.ended_at IS NULL AND alert.fingerprint = excluded.fingerprint THEN alert.told_at END,
        times_told = CASE
            WHEN alert.ended_at IS NULL AND alert.fingerprint = excluded.fingerprint THEN alert.times_told
            ELSE 0
        END,
        ended_at = NULL
    RETURNING subject, told_at, told_at + %(remind)s AS remind_at
)
SELECT subject
FROM written
WHERE told_at IS NULL OR (
    %(remind)s > interval '0' AND remind_at <= %(now)s + %(together)s
    AND EXISTS (SELECT FROM written WHERE remind_at <= %(now)s + %(half_a_look)s)
)
