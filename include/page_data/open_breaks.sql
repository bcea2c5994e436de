-- Open breaks and what is at stake, by category, currency and age; amounts of two currencies are never added.
-- The inner query reads the index alone, in its order.
SELECT
    category,
    currency,
    width_bucket(%(today)s::date - business_date, %(ages)s::integer[]) AS age_group,
    sum(breaks)::bigint AS breaks,
    sum(amount) AS amount,
    sum(unknown)::bigint AS unknown,
    min(business_date) AS oldest
FROM (
    SELECT
        category, business_date, currency, count(*) AS breaks, sum(amount) AS amount,
        count(*) FILTER (WHERE NOT ropo.is_stake_known(category, amount)) AS unknown
    FROM ropo.reconciliation_break
    WHERE profile = %(profile)s AND state = 'open'
    GROUP BY category, business_date, currency
) AS by_date
GROUP BY category, currency, age_group
