-- What the store knows and does not know of a business date: one row.
SELECT
    reread.poll_id IS NOT NULL AS has_reread,
    reread.outcome AS reread_outcome,
    COALESCE(reread.possibly_cut AND reread.shown_complete IS NOT TRUE, false) AS is_cut,
    reread.completeness,
    COALESCE(reread.absent_count, 0) AS absent,
    reread.absent_count IS NOT NULL AS is_judged,
    reread.new_count AS recovered,
    -- What lies ahead was written by a clock that ran ahead, and says nothing of when it was; likewise of a 204.
    COALESCE(reread.opened_at BETWEEN %(day_end)s AND clock_timestamp(), false) AS is_after_day_end,
    (
        SELECT max(opened_at)
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty' AND closed_at >= %(day_end)s
            AND closed_at <= clock_timestamp()
    ) AS newest_empty,
    (
        SELECT count(*)
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND recovery IN ('pending', 'unproven')
          -- Of a full comparison every date matters.
          AND (%(scope)s = 'full' OR window_to >= %(business_date)s)
    ) AS doubts,
    (
        -- Left open by a process that died, and not yet judged by the next drain.
        SELECT count(*)
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND outcome = 'open' AND kind = 'drain' AND opened_at < %(open_before)s
    ) AS left_open,
    (SELECT count(*) FROM ropo.status_quarantine WHERE profile = %(profile)s AND resolved_at IS NULL) AS quarantined,
    (SELECT count(*) FROM ropo.page_to_replay WHERE profile = %(profile)s) AS unparsed,
    (
        SELECT max(first_seen_at)
        FROM ropo.status_event
        WHERE profile = %(profile)s
    ) AS events_cutoff
FROM (SELECT 1) AS once
LEFT JOIN ropo.status_poll AS reread
    ON reread.poll_id = %(reread_poll_id)s
    AND reread.profile = %(profile)s
    AND reread.kind = 'date'
    AND reread.filter_value = %(business_date)s::date::text
