-- On the last poll of a re-read: whether its answers were whole. Answers that were possibly cut are complete all the same
-- where they were handed over bit by bit to an end, or where the date was shown complete before and nothing of it is new.
WITH held AS (
    SELECT count(*) AS absent
    FROM ropo.status_event AS event
    WHERE event.profile = %(profile)s
      AND event.statustime >= %(date)s::date AND event.statustime < %(date)s::date + 1
      AND event.first_seen_at < (SELECT opened_at FROM ropo.status_poll WHERE poll_id = %(first_poll_id)s)
      AND NOT EXISTS (SELECT FROM unnest(%(shown)s::text[]) AS shown (statusid) WHERE shown.statusid = event.statusid)
), before AS (
    SELECT max(poll.poll_id) AS poll_id
    FROM ropo.status_poll AS poll
    WHERE poll.profile = %(profile)s AND poll.kind = 'date' AND poll.filter_value = %(date)s::date::text
      AND poll.poll_id < %(first_poll_id)s AND poll.shown_complete
      AND NOT EXISTS (
          SELECT
          FROM ropo.status_event AS event
          WHERE event.profile = %(profile)s
            AND event.statustime >= %(date)s::date AND event.statustime < %(date)s::date + 1
            AND event.first_seen_at > poll.closed_at
      )
), concluded AS (
    SELECT
        held.absent,
        CASE
            WHEN NOT %(possibly_cut)s OR held.absent > 0 THEN NULL
            WHEN %(handed_over)s THEN 'the last of several answers was not full'
            WHEN before.poll_id IS NOT NULL THEN 'poll ' || before.poll_id || ' was, and nothing has come since'
        END AS completeness
    FROM held, before
)
UPDATE ropo.status_poll
SET possibly_cut = %(possibly_cut)s,
    absent_count = concluded.absent,
    shown_complete = CASE WHEN concluded.completeness IS NOT NULL THEN true END,
    completeness = concluded.completeness
FROM concluded
WHERE status_poll.poll_id = %(poll_id)s
RETURNING absent_count, shown_complete
