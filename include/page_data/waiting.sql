-- What waits for a person, the next drain or a later version, in counts, and when the queue was seen empty: one row a
-- profile.
SELECT
    asked.profile,
    (
        SELECT count(*)
        FROM ropo.status_quarantine AS bad
        WHERE bad.profile = asked.profile AND bad.resolved_at IS NULL
    ) AS quarantined,
    (SELECT count(*) FROM ropo.page_to_replay AS page WHERE page.profile = asked.profile) AS unparsed,
    (
        -- As a verdict counts them: a process died, and the next drain judges its poll.
        SELECT count(*)
        FROM ropo.status_poll AS poll
        WHERE poll.profile = asked.profile AND outcome = 'open' AND kind = 'drain' AND opened_at < %(open_before)s
    ) AS left_open,
    (
        -- Of late, as in the alert: each night's re-reads show what a consumer took, while it runs.
        SELECT count(*)
        FROM ropo.undrained_unexplained AS undrained
        WHERE undrained.profile = asked.profile AND noticed_at >= %(undrained_since)s
    ) AS undrained,
    (
        SELECT COALESCE(jsonb_object_agg(recovery, polls), '{}')
        FROM (
            SELECT recovery, count(*) AS polls
            FROM ropo.status_poll AS poll
            WHERE poll.profile = asked.profile AND recovery IS NOT NULL
            GROUP BY recovery
        ) AS counted
    ) AS doubts,
    (
        SELECT closed_at
        FROM ropo.status_poll AS poll
        WHERE poll.profile = asked.profile AND kind = 'drain' AND outcome = 'empty'
            -- What lies ahead was written by a clock that ran ahead, and says nothing of when it was.
            AND closed_at <= %(now)s
        ORDER BY poll_id DESC
        LIMIT 1
    ) AS newest_204,
    (
        SELECT opened_at
        FROM ropo.status_poll AS poll
        WHERE poll.profile = asked.profile AND kind = 'drain'
        ORDER BY opened_at
        LIMIT 1
    ) AS first_poll
FROM unnest(%(profiles)s::text[]) AS asked (profile)
