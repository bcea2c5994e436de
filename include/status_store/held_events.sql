-- Which of these events are held already, and with what content.
SELECT statusid, encode(content_sha256, 'hex')
FROM ropo.status_event
WHERE profile = %(profile)s AND statusid = ANY (ARRAY(SELECT json_array_elements_text(%(ids)s::json)))
