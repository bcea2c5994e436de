-- Profiles of the store that the profiles file lacks, which are not retired, and for whose queue nobody has asked since a
-- moment, though Ropo One let them; each with what waits of it. One under which Ropo One has served nothing is none, as
-- where its name was mistyped.
SELECT
    pin.profile,
    newest.opened_at AS newest_poll,
    (SELECT count(*) FROM ropo.reconciliation_break WHERE profile = pin.profile AND state = 'open') AS breaks,
    (
        SELECT count(*) FROM ropo.status_poll WHERE profile = pin.profile AND recovery IN ('pending', 'unproven')
    ) AS doubts,
    (SELECT count(*) FROM ropo.status_quarantine WHERE profile = pin.profile AND resolved_at IS NULL) AS rows
FROM ropo.profile_pin AS pin
CROSS JOIN LATERAL (
    SELECT opened_at
    FROM ropo.status_poll
    WHERE profile = pin.profile AND kind = 'drain'
    ORDER BY opened_at DESC
    LIMIT 1
) AS newest
WHERE pin.profile <> ALL(%(known)s::text[])
    AND GREATEST(newest.opened_at, pin.not_before) <= %(since)s
    AND EXISTS (
        SELECT FROM ropo.status_poll WHERE profile = pin.profile AND outcome NOT IN ('unsent', 'refused')
    )
    AND NOT EXISTS (
        SELECT
        FROM ropo.alert AS retired
        WHERE retired.profile = pin.profile AND retired.topic = %(topic)s AND retired.subject = pin.profile
            AND retired.ended_at IS NULL
    )
ORDER BY pin.profile
