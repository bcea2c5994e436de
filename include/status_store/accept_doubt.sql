-- Accept a doubt that is unproven, and one that is pending where it is told: that one keeps how far it was asked about.
UPDATE ropo.status_poll AS doubt
SET recovery = 'accepted', accepted_by = %(by)s, accepted_note = %(note)s,
    recovery_reason = CASE
        WHEN doubt.recovery = 'unproven' THEN doubt.recovery_reason
        ELSE concat_ws(
            '; ', doubt.recovery_reason,
            'accepted when ' || (
                SELECT count(*)
                FROM ropo.status_poll_window_date AS asked
                WHERE asked.poll_id = doubt.poll_id
                  AND asked.business_date BETWEEN doubt.window_from AND doubt.window_to
            ) || ' of its ' || doubt.window_to - doubt.window_from + 1 || ' dates had been asked'
        )
    END
WHERE doubt.poll_id = %(poll_id)s AND doubt.profile = COALESCE(%(profile)s, doubt.profile)
  AND (doubt.recovery = 'unproven' OR (%(not_asked)s AND doubt.recovery = 'pending'))
