-- Of which of these breaks it cannot be decided what is decided of those in a state, and why. Those of another profile are
-- none.
SELECT
    asked.break_id,
    CASE
        WHEN known.break_id IS NULL THEN 'unknown'
        WHEN known.state <> %(state)s THEN known.state || ', not ' || %(state)s
        ELSE 'not as it was shown: it has changed since'
    END,
    known.billnum,
    known.jobid,
    known.category
FROM unnest(%(break_ids)s::bigint[]) AS asked (break_id)
LEFT JOIN ropo.reconciliation_break AS known
    ON known.break_id = asked.break_id AND known.profile = COALESCE(%(profile)s, known.profile)
WHERE known.state IS DISTINCT FROM %(state)s OR EXISTS (
    SELECT
    FROM ropo.reconciliation_break_event AS event
    WHERE event.break_id = asked.break_id AND event.event_id > %(shown_up_to)s
        AND event.kind <> 'commented'
)
ORDER BY asked.break_id
