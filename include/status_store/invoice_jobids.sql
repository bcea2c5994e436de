-- Every jobid that ever came with an invoice number: in events, and in what they said before. And as the comparison takes
-- them, the jobs of which no row names a number and the ledger's row this one.
SELECT event.jobid
FROM ropo.status_event AS event
WHERE event.profile = %(profile)s AND event.billnum = %(billnum)s AND event.jobid IS NOT NULL
UNION
SELECT earlier.jobid
FROM ropo.status_event_revision AS earlier
WHERE earlier.profile = %(profile)s AND earlier.billnum = %(billnum)s AND earlier.jobid IS NOT NULL
UNION
SELECT named.jobid COLLATE "C"
FROM (
    SELECT DISTINCT item.jobid
    FROM ropo.items_of_number(%(profile)s, %(billnum)s) AS item
    WHERE item.jobid IS NOT NULL
) AS named
WHERE ropo.newest_billnum(%(profile)s, named.jobid) IS NULL
