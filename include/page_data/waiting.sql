-- What waits for a person or a later version, in counts.
SELECT
    (SELECT count(*) FROM ropo.status_quarantine WHERE profile = %(profile)s AND resolved_at IS NULL) AS quarantined,
    (SELECT count(*) FROM ropo.page_to_replay WHERE profile = %(profile)s) AS unparsed,
    (SELECT count(*) FROM ropo.status_poll WHERE profile = %(profile)s AND recovery = 'unproven') AS unproven,
    (SELECT count(*) FROM ropo.status_poll WHERE profile = %(profile)s AND recovery = 'pending') AS pending,
    (
        -- Of late, as in the alert: each night's re-reads show what a consumer took, while it runs.
        SELECT count(*)
        FROM ropo.undrained_unexplained
        WHERE profile = %(profile)s AND noticed_at >= now() - interval '2 days'
    ) AS undrained,
    (
        SELECT closed_at
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty'
        ORDER BY poll_id DESC
        LIMIT 1
    ) AS newest_204
