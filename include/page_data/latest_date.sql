-- Of each profile the newest business date that was compared, by its latest reconciliation.
SELECT asked.profile, latest.*
FROM unnest(%(profiles)s::text[], %(starts)s::date[]) AS asked (profile, start)
CROSS JOIN LATERAL (
    SELECT business_date, reconciliation_id, verdict, population, matched, pending, breaks, accepted
    FROM ropo.reconciliation AS found
    WHERE found.profile = asked.profile AND scope = 'date' AND business_date >= asked.start
    ORDER BY business_date DESC, reconciliation_id DESC
    LIMIT 1
) AS latest
