-- Free texts of events: columns and raw row. The hash stays, so that the same row seen again is known as the same.
UPDATE ropo.status_event AS held
SET statusref = '', statustext = redacted.statustext, raw = redacted.raw,
    content_sha256 = ropo.content_sha256(held), erased_at = clock_timestamp()
FROM json_to_recordset(%(events)s::json) AS redacted (statusid text, statustext text, raw json)
WHERE held.profile = %(profile)s AND held.statusid = redacted.statusid
