-- Whether a profile was at work before a month's end and has no full comparison of the kind that its sign-off needs
-- (sign_off_standing.sql): one row.
SELECT
    (
        -- Not first_date.sql's date: a backfill of an old month does not make the profile older.
        EXISTS (SELECT FROM ropo.profile_pin WHERE profile = %(profile)s AND pinned_at < %(end)s)
        OR EXISTS (SELECT FROM ropo.reconciliation WHERE profile = %(profile)s AND started_at < %(end)s)
    )
    AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation
        WHERE profile = %(profile)s AND scope = 'full' AND business_date >= %(last)s AND started_at >= %(end)s
    ) AS is_missing
