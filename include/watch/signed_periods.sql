-- The signed months of profiles by their newest sign-off, and what changed after it: the newest flag (null where nothing
-- did), how many there are, and of which dates. Signed again, a month has the flags of its newest sign-off alone.
SELECT
    signed.profile, signed.period, signed.signed_by, signed.countersigned_by,
    changed.newest, changed.results, changed.breaks, changed.dates
FROM (
    SELECT DISTINCT ON (profile, period) sign_off_id, profile, period, signed_by, countersigned_by
    FROM ropo.period_sign_off
    WHERE profile = ANY (%(profiles)s::text[])
    ORDER BY profile, period, sign_off_id DESC
) AS signed
CROSS JOIN LATERAL (
    SELECT
        max(flag.flag_id) AS newest,
        count(*) FILTER (WHERE flag.kind = 'result_changed') AS results,
        count(*) FILTER (WHERE flag.kind <> 'result_changed') AS breaks,
        COALESCE(array_agg(DISTINCT flag.business_date ORDER BY flag.business_date), '{}') AS dates
    FROM ropo.period_sign_off_flag AS flag
    WHERE flag.sign_off_id = signed.sign_off_id
) AS changed
ORDER BY signed.profile, signed.period
