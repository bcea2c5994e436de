SELECT day.business_date
FROM unnest(%(dates)s::date[], %(ends)s::timestamptz[]) AS day (business_date, ends_at)
WHERE NOT EXISTS (
    SELECT
    FROM ropo.reconciliation AS found
    WHERE found.profile = %(profile)s AND found.scope = 'date'
      AND found.business_date = day.business_date AND found.started_at >= day.ends_at
)
ORDER BY day.business_date
