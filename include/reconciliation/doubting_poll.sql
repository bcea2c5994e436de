-- A drain poll that may have lost changes of a business date of which nothing is held: a doubt that waits and whose window
-- holds the date, or a poll that was sent before a re-read of it and has no outcome yet.
SELECT max(poll_id)
FROM (
    SELECT poll_id
    FROM ropo.status_poll
    WHERE profile = %(profile)s AND recovery IS NOT NULL AND recovery IN ('pending', 'unproven')
      AND window_from <= %(business_date)s AND window_to >= %(business_date)s
    UNION ALL
    SELECT poll_id
    FROM ropo.status_poll
    WHERE profile = %(profile)s AND outcome = 'open' AND kind = 'drain'
      AND poll_id < %(reread_poll_id)s AND window_from <= %(business_date)s
) AS doubting
