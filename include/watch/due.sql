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
RETURNING
    subject,
    told_at IS NULL OR (%(remind)s > interval '0' AND told_at <= %(now)s - %(remind)s) AS is_due
