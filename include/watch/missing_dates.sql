-- The gaps in each profile's span: dates of which no reconciliation began when they were over. When each is over is told by
-- the array of ends, a row a time zone, a column a date.
SELECT asked.profile, gap.first, gap.last
FROM unnest(%(profiles)s::text[], %(zones)s::integer[], %(firsts)s::date[], %(lasts)s::date[])
    AS asked (profile, zone, first, last)
CROSS JOIN LATERAL (
    SELECT
        lag(business_date, 1, asked.first - 1) OVER (ORDER BY business_date) + 1 AS first,
        business_date - 1 AS last
    FROM (
        SELECT business_date
        FROM ropo.reconciliation
        WHERE profile = asked.profile AND scope = 'date' AND business_date BETWEEN asked.first AND asked.last
        GROUP BY business_date
        HAVING max(started_at) >= (%(ends)s::timestamptz[])[asked.zone][business_date - %(first)s + 1]
        UNION ALL
        SELECT asked.last + 1
    ) AS compared
) AS gap
WHERE gap.first <= gap.last
ORDER BY asked.profile, gap.first
