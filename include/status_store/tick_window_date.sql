-- One date re-read serves every doubt whose window holds it, if the doubt was there before the date was asked.
INSERT INTO ropo.status_poll_window_date (poll_id, business_date, reread_poll_id, ticked_at, brought, reason)
SELECT
    doubt.poll_id, %(date)s, %(reread_poll_id)s, CASE WHEN %(whole)s THEN clock_timestamp() END, %(new)s, %(reason)s
FROM ropo.status_poll AS doubt
WHERE doubt.profile = %(profile)s AND doubt.recovery IN ('pending', 'unproven')
  AND %(date)s BETWEEN doubt.window_from AND doubt.window_to
  AND (%(reread_poll_id)s IS NULL
       OR doubt.closed_at < (SELECT opened_at FROM ropo.status_poll WHERE poll_id = %(reread_poll_id)s))
ORDER BY doubt.poll_id
ON CONFLICT (poll_id, business_date) DO UPDATE
SET reread_poll_id = excluded.reread_poll_id,
    ticked_at = coalesce(status_poll_window_date.ticked_at, excluded.ticked_at),
    asked_at = clock_timestamp(),
    brought = status_poll_window_date.brought + excluded.brought,
    reason = excluded.reason
