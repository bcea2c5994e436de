-- Every invoice of which an event, of whatever date, came with other content on one of the dates.
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT DISTINCT
    wanted.business_date, COALESCE('b:' || event.billnum, 'j:' || event.jobid), event.jobid, event.billnum, true, false
FROM wanted_date AS wanted
JOIN ropo.status_event_revision AS revision
    ON revision.profile = %(profile)s
    AND revision.recorded_at >= wanted.business_date::timestamp AT TIME ZONE %(timezone)s
    AND revision.recorded_at < (wanted.business_date + 1)::timestamp AT TIME ZONE %(timezone)s
JOIN ropo.status_event AS event ON event.profile = revision.profile AND event.statusid = revision.statusid
