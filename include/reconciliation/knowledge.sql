-- What the store knows and does not know of a business date: one row. Ids are ranges, few words for many in a row.
SELECT
    reread.poll_id IS NOT NULL AS has_reread,
    reread.outcome AS reread_outcome,
    COALESCE(reread.possibly_cut AND reread.shown_complete IS NOT TRUE, false) AS is_cut,
    reread.completeness,
    COALESCE(reread.absent_count, 0) AS absent,
    reread.absent_ids::text AS absent_ids,
    reread.absent_count IS NOT NULL AS is_judged,
    CASE WHEN reread.outcome = 'empty' THEN 0 ELSE reread.new_count END AS recovered,
    -- What lies ahead was written by a clock that ran ahead, and says nothing of when it was; likewise of a 204.
    COALESCE(reread.opened_at BETWEEN %(day_end)s AND clock_timestamp(), false) AS is_after_day_end,
    (
        SELECT max(opened_at)
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty' AND closed_at >= %(day_end)s
            AND closed_at <= clock_timestamp()
    ) AS newest_empty,
    doubt.number AS doubts,
    doubt.ids AS doubt_ids,
    left_open.number AS left_open,
    left_open.ids AS left_open_ids,
    quarantined.number AS quarantined,
    quarantined.ids AS quarantined_ids,
    unparsed.number AS unparsed,
    unparsed.ids AS unparsed_ids,
    (
        SELECT max(seen_at)
        FROM ropo.event_day
        WHERE profile = %(profile)s
    ) AS events_cutoff
FROM (
    SELECT count(*) AS number, range_agg(int8range(poll_id, poll_id, '[]'))::text AS ids
    FROM ropo.status_poll
    WHERE profile = %(profile)s AND recovery IN ('pending', 'unproven')
      -- Of a full comparison every date matters.
      AND (%(scope)s = 'full' OR window_to >= %(business_date)s)
) AS doubt
CROSS JOIN (
    -- Left open by a process that died, and not yet judged by the next drain.
    -- By the store's clock, which has written when it was opened.
    SELECT count(*) AS number, range_agg(int8range(poll_id, poll_id, '[]'))::text AS ids
    FROM ropo.status_poll
    WHERE profile = %(profile)s AND outcome = 'open' AND kind = 'drain'
        AND opened_at < clock_timestamp() - %(left_open_after)s
) AS left_open
CROSS JOIN (
    SELECT count(*) AS number, range_agg(int8range(quarantine_id, quarantine_id, '[]'))::text AS ids
    FROM ropo.status_quarantine
    WHERE profile = %(profile)s AND resolved_at IS NULL
) AS quarantined
CROSS JOIN (
    SELECT count(*) AS number, range_agg(int8range(poll_id, poll_id, '[]'))::text AS ids
    FROM ropo.page_to_replay
    WHERE profile = %(profile)s
) AS unparsed
LEFT JOIN ropo.status_poll AS reread
    ON reread.poll_id = %(reread_poll_id)s
    AND reread.profile = %(profile)s
    AND reread.kind = 'date'
    AND reread.filter_value = %(business_date)s::date::text
