UPDATE comparison
SET hint = near.hint
FROM (VALUES %s) AS near (billnum, hint)
WHERE near.billnum = comparison.billnum AND comparison.event_count = 0
