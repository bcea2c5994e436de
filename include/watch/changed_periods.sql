-- What changed in signed periods after their newest sign-off: the newest flag, how many there are, and of which dates.
SELECT
    signed.period, signed.signed_by, signed.countersigned_by, max(flag.flag_id) AS newest,
    count(*) FILTER (WHERE flag.kind = 'result_changed') AS results,
    count(*) FILTER (WHERE flag.kind <> 'result_changed') AS breaks,
    array_agg(DISTINCT flag.business_date ORDER BY flag.business_date) AS dates
FROM (
    SELECT DISTINCT ON (period) sign_off_id, period, signed_by, countersigned_by
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
) AS signed
JOIN ropo.period_sign_off_flag AS flag USING (sign_off_id)
GROUP BY signed.sign_off_id, signed.period, signed.signed_by, signed.countersigned_by
ORDER BY signed.period
