-- What a late view adds to a break that is known: that it was seen too, and perhaps an earlier date. It changes no state.
UPDATE ropo.reconciliation_break AS known
SET
    business_date = LEAST(known.business_date, late.first_date),
    first_seen = LEAST(known.first_seen, late.first_seen),
    last_seen = GREATEST(known.last_seen, late.last_seen),
    times_seen = known.times_seen + late.times
FROM (
    SELECT
        invoice_key, category, count(*) AS times,
        min(business_date) FILTER (WHERE scope = 'date') AS first_date,   -- as in breaks_shown.sql
        min(started_at) AS first_seen, max(started_at) AS last_seen
    FROM candidate
    WHERE is_late AND is_break
    GROUP BY invoice_key, category
) AS late
WHERE known.profile = %(profile)s AND known.invoice_key = late.invoice_key AND known.category = late.category
