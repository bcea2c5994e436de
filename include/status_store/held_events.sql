-- Which of these events are held already, and with what content.
SELECT statusid, encode(ropo.content_sha256(held), 'hex')
FROM ropo.status_event AS held
WHERE profile = %(profile)s AND statusid = ANY (ARRAY(SELECT json_array_elements_text(%(ids)s::json)))
