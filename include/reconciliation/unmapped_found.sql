-- Codes that the status map lacks, of the events of each part's invoices.
SELECT
    part.business_date,
    spoken.statustype,
    spoken.code,
    (array_agg(event.statusref ORDER BY spoken.seq DESC))[1] AS label,
    count(*) AS events
FROM part
JOIN spoken USING (invoice_key)
JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.statusid = spoken.statusid
WHERE NOT part.is_out_of_scope AND NOT spoken.is_mapped
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
