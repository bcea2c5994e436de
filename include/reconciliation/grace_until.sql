UPDATE comparison
SET
    grace_until = ended.grace_until,
    pending_until = CASE WHEN ended.grace_until > %(now)s THEN ended.grace_until END
FROM grace AS ended
WHERE comparison.grace_from = ended.grace_from
