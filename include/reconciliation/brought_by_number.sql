-- How many changes of a date answers by invoice number brought that were not of it before: new ones, and those that were held
-- as ones of another day. What was one of this day already was shown by the date's answer (absent_count), whatever it says now.
SELECT count(*)
FROM ropo.event_by_day AS event
WHERE profile = %(profile)s AND day = %(business_date)s AND (
    first_poll_id = ANY(%(polls)s)
    OR EXISTS (
        SELECT
        FROM ropo.status_event AS held
        CROSS JOIN LATERAL (
            SELECT revision.statustime
            FROM ropo.status_event_revision AS revision
            WHERE revision.profile = held.profile AND revision.statusid = held.statusid
                AND revision.poll_id <> ALL(%(polls)s)
            ORDER BY revision.poll_id DESC, revision.revision DESC
            LIMIT 1
        ) AS before
        WHERE held.profile = event.profile AND held.statusid = event.statusid AND held.content_poll_id = ANY(%(polls)s)
            AND before.statustime::date IS DISTINCT FROM event.day
    )
)
