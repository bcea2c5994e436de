-- An invoice's events: by its number and by its jobids, be it by what they say or by what they said before.
SELECT statusid, statustype, statustext, raw::text, erased_at IS NULL
FROM ropo.status_event
WHERE profile = %(profile)s
  AND (
      billnum = %(billnum)s
      OR jobid = ANY (%(jobids)s)
      OR statusid = ANY (ARRAY(
          SELECT earlier.statusid
          FROM ropo.status_event_revision AS earlier
          WHERE earlier.profile = %(profile)s
            AND (earlier.billnum = %(billnum)s OR earlier.jobid = ANY (%(jobids)s))
      ))
  )
ORDER BY statusid
FOR UPDATE
