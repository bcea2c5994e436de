-- Which of these events are held already, and whether with other content.
SELECT held.statusid, held.content_sha256 <> decode(shown.sha256, 'hex')
FROM json_each_text(%(shown)s::json) AS shown (statusid, sha256)
JOIN ropo.status_event AS held ON held.profile = %(profile)s AND held.statusid = shown.statusid
