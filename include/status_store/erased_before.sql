-- Which of these rows, which are no events, are of an event whose texts were erased, or name an invoice or a job of which
-- they were.
SELECT shown.place
FROM unnest(%(statusids)s::text[], %(billnums)s::text[], %(jobids)s::text[])
    WITH ORDINALITY AS shown (statusid, billnum, jobid, place)
WHERE EXISTS (
        SELECT
        FROM ropo.status_event AS held
        WHERE held.profile = %(profile)s AND held.statusid = shown.statusid AND held.erased_at IS NOT NULL
    )
    OR shown.billnum IN (
        SELECT erased.billnum FROM ropo.text_erasure AS erased
        WHERE erased.profile = %(profile)s AND erased.billnum IS NOT NULL
    )
    OR shown.jobid IN (
        SELECT unnest(erased.jobids) FROM ropo.text_erasure AS erased WHERE erased.profile = %(profile)s
    )
