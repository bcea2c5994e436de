-- How many breaks a month's signature rests on and what is at stake in them; amounts of two currencies are never added.
SELECT
    currency,
    count(*) AS breaks,
    sum(amount) AS amount,
    count(*) FILTER (WHERE NOT ropo.is_stake_known(category, amount)) AS unknown
FROM ({rested_on}) AS rested_on
GROUP BY currency
