-- How many breaks are meant and what is at stake in them; amounts of two currencies are never added. The page adds its
-- conditions.
SELECT break.currency, count(*) AS breaks, sum(break.amount) AS amount
FROM ropo.break_today AS break
WHERE break.profile = %(profile)s
