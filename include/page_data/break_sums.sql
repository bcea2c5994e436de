-- How many breaks are meant and what is at stake in them; amounts of two currencies are never added. The page adds its
-- conditions. Of an unpaid invoice that the ledger lacks no amount is known (include/reconciliation/stake.py).
SELECT
    break.currency,
    count(*) AS breaks,
    sum(break.amount) AS amount,
    count(*) FILTER (WHERE break.category = 'missing_in_ledger' AND break.amount = 0) AS unknown
FROM ropo.break_today AS break
WHERE break.profile = %(profile)s
