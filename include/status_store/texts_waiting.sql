-- What is over age and cannot be erased before somebody deals with it: an unparsed page, an unsettled doubt, a row in
-- quarantine.
SELECT
    (
        SELECT count(*)
        FROM ropo.status_page AS page
        JOIN ropo.status_poll AS poll USING (poll_id)
        WHERE poll.profile = %(profile)s AND page.received_at < %(before)s AND page.removed_at IS NULL
          AND CASE
              WHEN page.complete THEN page.parsed_at IS NULL
              ELSE poll.kind = 'drain' AND poll.recovery NOT IN ('recovered', 'accepted')
          END
    ) + (
        SELECT count(*)
        FROM ropo.status_quarantine
        WHERE profile = %(profile)s AND first_seen_at < %(before)s AND resolved_at IS NULL
    )
