-- Whether a person has settled what is said to be settled: a doubt accepted, or a row of the quarantine dismissed.
SELECT
    EXISTS (
        SELECT FROM ropo.status_poll
        WHERE profile = %(profile)s AND poll_id = %(id)s AND recovery = 'accepted' AND accepted_by = %(by)s
    ) AS is_accepted,
    EXISTS (
        SELECT FROM ropo.status_quarantine
        WHERE profile = %(profile)s AND quarantine_id = %(id)s
            AND starts_with(resolution, %(dismissed_by)s)
    ) AS is_dismissed
