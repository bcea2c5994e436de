-- On the last poll of a re-read: whether its answers were whole. Answers that were possibly cut are complete all the same
-- where they were handed over bit by bit to an end, or where the date was shown complete before in another way, nothing of
-- it is new, and nothing of it can have been lost since.
WITH held AS (
    SELECT
        count(*) AS absent,
        CASE
            WHEN count(*) > %(most_ids)s THEN int8multirange(ropo.id_range(string_agg(statusid, ' ' ORDER BY statusid)))
            ELSE range_agg(ropo.id_range(statusid))
        END AS ids
    FROM ropo.event_by_day AS event
    WHERE event.profile = %(profile)s
      AND event.day = %(date)s
      -- What lies ahead now was stored before too, by a clock that ran ahead and was put back.
      AND (
          event.seen_at < (SELECT opened_at FROM ropo.status_poll WHERE poll_id = %(first_poll_id)s)
          OR event.seen_at > clock_timestamp()
      )
      -- Hashed, whatever their number is taken for: an answer may show a hundred thousand.
      AND event.statusid NOT IN (SELECT json_array_elements_text(%(shown)s::json))
), before AS (
    SELECT poll.poll_id, poll.opened_at
    FROM ropo.status_poll AS poll
    WHERE poll.profile = %(profile)s AND poll.kind = 'date' AND poll.filter_value = %(date)s::date::text
      AND poll.poll_id < %(first_poll_id)s AND poll.shown_complete
      -- That each row was handed over once is contradicted by answers of now that are full and bring nothing new: they
      -- show rows again. What was concluded from an earlier proof is looked for at that one.
      AND poll.completeness <> %(bit_by_bit)s AND poll.completeness !~ '^poll [0-9]+ was, and nothing has come since$'
      AND NOT EXISTS (
          SELECT
          FROM ropo.event_by_day AS event
          WHERE event.profile = %(profile)s
            AND event.day = %(date)s
            AND event.seen_at > poll.closed_at
      )
    ORDER BY poll.poll_id DESC
    LIMIT 1
), lost AS (
    -- "Nothing of it is new" says nothing of what a drain poll took and lost: just that is not held. So the earlier proof
    -- does not count while a doubt waits whose window holds the date (the one that is being recovered, too), nor where one
    -- was written after that proof was asked for, whatever became of it.
    SELECT doubt.poll_id
    FROM before
    JOIN ropo.status_poll AS doubt ON doubt.profile = %(profile)s AND doubt.recovery IS NOT NULL
    WHERE doubt.window_from <= %(date)s AND doubt.window_to >= %(date)s
      AND (doubt.recovery IN ('pending', 'unproven') OR doubt.closed_at >= before.opened_at)
    UNION ALL
    -- A poll that was sent before this re-read and has no outcome may be one tomorrow. What a later one loses, no re-read
    -- of now could have shown: that poll's own window brings it.
    SELECT poll.poll_id
    FROM before
    JOIN ropo.status_poll AS poll ON poll.profile = %(profile)s AND poll.outcome = 'open'
    WHERE poll.kind = 'drain' AND poll.poll_id < %(first_poll_id)s AND poll.window_from <= %(date)s
), concluded AS (
    SELECT
        held.absent,
        held.ids,
        CASE WHEN %(possibly_cut)s AND held.absent = 0 THEN
            %(handed_over)s OR (before.poll_id IS NOT NULL AND lost.poll_id IS NULL)
        END AS is_complete,
        CASE
            WHEN NOT %(possibly_cut)s OR held.absent > 0 THEN NULL
            WHEN %(handed_over)s THEN %(bit_by_bit)s
            WHEN lost.poll_id IS NULL THEN 'poll ' || before.poll_id || ' was, and nothing has come since'
            ELSE 'poll ' || before.poll_id || ' was shown complete, but poll ' || lost.poll_id
                || ' may have lost changes of the date that nobody holds'
        END AS completeness
    FROM held
    LEFT JOIN before ON true
    CROSS JOIN (SELECT max(poll_id) AS poll_id FROM lost) AS lost
)
UPDATE ropo.status_poll
SET possibly_cut = %(possibly_cut)s,
    absent_count = concluded.absent,
    absent_ids = concluded.ids,
    shown_complete = CASE WHEN concluded.is_complete THEN true END,
    completeness = concluded.completeness
FROM concluded
WHERE status_poll.poll_id = %(poll_id)s
RETURNING status_poll.absent_count, status_poll.shown_complete, status_poll.completeness
