-- What the profile's breaks are judged by. Its row is locked until the transaction ends, changed or not.
INSERT INTO ropo.break_policy AS known (profile, timezone, medium_amount, high_amount, medium_age_days, high_age_days)
VALUES (
    %(profile)s, %(timezone)s, %(medium_amount)s, %(high_amount)s, %(medium_age_days)s, %(high_age_days)s
)
ON CONFLICT (profile) DO UPDATE SET
    timezone = excluded.timezone,
    medium_amount = excluded.medium_amount,
    high_amount = excluded.high_amount,
    medium_age_days = excluded.medium_age_days,
    high_age_days = excluded.high_age_days
WHERE known IS DISTINCT FROM excluded
