-- The events, of any date, of the keys of this round, and the keys that they bring. So do breaks that are not resolved:
-- whether the name of one is still anybody's must be known wherever one of its keys is met.
WITH pulled AS (
    INSERT INTO found_event (statusid, jobid, billnum, statustype, code, statustime, number, amount, seen_on)
    SELECT
        statusid, jobid, billnum, statustype, code, statustime, number, amount,
        (first_seen_at AT TIME ZONE %(timezone)s)::date
    FROM (
        SELECT event.*
        FROM found_key AS key
        JOIN ropo.event_as_read AS event ON event.profile = %(profile)s AND event.jobid = key.value
        WHERE key.kind = 'jobid' AND key.round = %(round)s
        UNION ALL
        SELECT event.*
        FROM found_key AS key
        JOIN ropo.event_as_read AS event ON event.profile = %(profile)s AND event.billnum = key.value
        WHERE key.kind = 'billnum' AND key.round = %(round)s
            -- Most are found by their jobid already.
            AND NOT EXISTS (
                SELECT FROM found_key AS job WHERE job.kind = 'jobid' AND job.value = event.jobid COLLATE "default"
            )
    ) AS event
    ON CONFLICT DO NOTHING
    RETURNING jobid, billnum
), broken AS (
    INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
    SELECT NULL::date, invoice_key, jobid, billnum, false, false
    FROM (
        SELECT known.invoice_key, known.jobid, known.billnum
        FROM found_key AS key
        JOIN ropo.reconciliation_break AS known ON known.profile = %(profile)s AND known.jobid = key.value
        WHERE key.kind = 'jobid' AND key.round = %(round)s AND known.state <> 'resolved'
        UNION
        SELECT known.invoice_key, known.jobid, known.billnum
        FROM found_key AS key
        JOIN ropo.reconciliation_break AS known ON known.profile = %(profile)s AND known.billnum = key.value
        WHERE key.kind = 'billnum' AND key.round = %(round)s AND known.state <> 'resolved'
    ) AS known
    RETURNING jobid, billnum
), brought AS (
    SELECT jobid, billnum FROM pulled
    UNION ALL
    SELECT jobid, billnum FROM broken
)
INSERT INTO found_key (kind, value)
SELECT kind, value
FROM (
    SELECT 'jobid' AS kind, jobid AS value, jobid AS near FROM brought WHERE jobid IS NOT NULL
    UNION
    SELECT 'billnum', billnum, COALESCE(jobid, billnum) FROM brought WHERE billnum IS NOT NULL
) AS key
-- An invoice's two keys stand together, so that one question to the ledger names both.
ORDER BY near COLLATE "C"
ON CONFLICT DO NOTHING
