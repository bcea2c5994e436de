-- How many breaks of each profile are meant and what is at stake in them; amounts of two currencies are never added. The
-- page adds its conditions.
SELECT
    break.profile,
    break.currency,
    count(*) AS breaks,
    sum(break.amount) AS amount,
    count(*) FILTER (WHERE NOT ropo.is_stake_known(break.category, break.amount)) AS unknown
FROM ropo.break_today AS break
WHERE break.profile = ANY (%(profiles)s)
