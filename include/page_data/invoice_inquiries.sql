-- When Ropo One was asked for one invoice number, the newest first.
SELECT poll_id, outcome, opened_at, closed_at, row_count, new_count, error, dag_id, run_id
FROM ropo.status_poll
WHERE profile = %(profile)s AND kind = 'billnum' AND filter_value = %(billnum)s
ORDER BY poll_id DESC
LIMIT %(limit)s
