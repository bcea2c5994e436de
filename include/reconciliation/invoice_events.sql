SELECT
    item.invoice_key,
    event.statustime,
    event.statustype,
    event.code,
    event.amount,
    event.jobid,
    stored.first_seen_at
FROM item
JOIN spoken USING (invoice_key)
JOIN event USING (seq)
JOIN ropo.status_event AS stored ON stored.profile = %(profile)s AND stored.statusid = event.statusid
ORDER BY item.invoice_key, event.seq
