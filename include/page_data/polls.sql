-- The journal, the newest first, from below a poll on.
SELECT
    poll.poll_id, poll.kind, poll.filter_value, poll.outcome, poll.http_status, poll.row_count, poll.new_count,
    poll.revised_count, poll.quarantined_count, poll.possibly_cut, poll.completeness, poll.absent_count,
    poll.opened_at, poll.error, poll.recovery, poll.dag_id, poll.run_id, waiting.parse_error
FROM ropo.status_poll AS poll
LEFT JOIN ropo.page_to_replay AS waiting ON waiting.poll_id = poll.poll_id
WHERE poll.profile = %(profile)s
    AND poll.poll_id < %(below)s
    AND (%(kind)s::text IS NULL OR poll.kind = %(kind)s)
    AND (%(outcome)s::text IS NULL OR poll.outcome = %(outcome)s)
ORDER BY poll.poll_id DESC
LIMIT %(limit)s
