-- Every invoice of which an event, of whatever date, came with other content on one of the dates; and the invoice that it was
-- of before, which may be another one.
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT DISTINCT
    wanted.business_date, COALESCE('b:' || said.billnum, 'j:' || said.jobid), said.jobid, said.billnum, true, false
FROM wanted_date AS wanted
JOIN ropo.status_event_revision AS revision
    ON revision.profile = %(profile)s
    AND revision.recorded_at >= wanted.business_date::timestamp AT TIME ZONE %(timezone)s
    AND revision.recorded_at < (wanted.business_date + 1)::timestamp AT TIME ZONE %(timezone)s
JOIN ropo.status_event AS event ON event.profile = revision.profile AND event.statusid = revision.statusid
CROSS JOIN LATERAL (
    VALUES (event.jobid, event.billnum), (revision.jobid, revision.billnum)
) AS said (jobid, billnum)
WHERE said.jobid IS NOT NULL OR said.billnum IS NOT NULL
