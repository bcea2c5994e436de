-- A full comparison keeps what is not settled (take_unsettled.sql). Most invoices are plainly settled: one job under one
-- number and one ledger row of both, every code known, paid on both sides by the same sums. They are told in one pass and
-- left out here, so that the rules are applied to the rest alone. What is not plain in any respect is never left out.
CREATE TEMP TABLE spoken_pair ON COMMIT DROP AS
SELECT
    jobid,
    billnum,
    COALESCE(sum(amount) FILTER (WHERE is_payment AND code = ANY(%(paid)s)), 0) AS paid,
    COALESCE(sum(amount) FILTER (WHERE is_payment AND code = ANY(%(discount)s)), 0) AS discount,
    bool_and(
        CASE
            WHEN NOT is_payment THEN kind || ' ' || code = ANY(%(endless)s)
            WHEN code = ANY(%(paid)s) OR code = ANY(%(discount)s) THEN amount > 0 IS TRUE
            ELSE code = ANY(%(ignored)s)
        END
    ) AS is_plain
FROM (
    SELECT
        jobid, billnum, amount,
        lower(statustype) AS kind,
        lower(statustype) = 'payment' AS is_payment,
        CASE WHEN lower(statustype) = 'payment' THEN statustext ELSE statuscode END AS code
    FROM ropo.status_event
    WHERE profile = %(profile)s
) AS event
GROUP BY jobid, billnum;
ANALYZE spoken_pair;

CREATE TEMP TABLE settled ON COMMIT DROP AS
SELECT spoken.jobid
FROM spoken_pair AS spoken
JOIN ledger_row AS booked USING (jobid, billnum)
JOIN word_meaning AS word USING (status)
WHERE spoken.is_plain
    AND spoken.paid = booked.paid
    AND spoken.discount = COALESCE(booked.discount, 0)
    AND spoken.paid + spoken.discount > 0
    AND spoken.paid + spoken.discount >= booked.total - COALESCE(booked.credited, 0)
    AND booked.total > 0
    AND COALESCE(booked.payments_by_ropo, true)
    AND COALESCE(booked.sent_at >= %(start)s, true)
    AND word.part_end IS NULL
    AND COALESCE(word.payment, 2) = 2
    -- Nothing is open, and the amounts add up.
    AND booked.total - booked.paid - spoken.discount - COALESCE(booked.credited, 0) - COALESCE(booked.open, 0) = 0
    AND COALESCE(booked.open, 0) <= 0
    -- Neither of its names leads anywhere else.
    AND NOT EXISTS (
        SELECT FROM (SELECT jobid FROM spoken_pair GROUP BY jobid HAVING count(*) > 1) AS again
        WHERE again.jobid = spoken.jobid
    )
    AND NOT EXISTS (
        SELECT FROM (SELECT billnum FROM spoken_pair GROUP BY billnum HAVING count(*) > 1) AS again
        WHERE again.billnum = spoken.billnum
    )
    AND NOT EXISTS (
        SELECT FROM (SELECT jobid FROM ledger_row GROUP BY jobid HAVING count(*) > 1) AS again
        WHERE again.jobid = spoken.jobid
    )
    AND NOT EXISTS (
        SELECT FROM (SELECT billnum FROM ledger_row GROUP BY billnum HAVING count(*) > 1) AS again
        WHERE again.billnum = spoken.billnum
    )
    AND NOT EXISTS (SELECT FROM named_invoice AS named WHERE named.jobid = spoken.jobid)
    AND NOT EXISTS (SELECT FROM named_invoice AS named WHERE named.billnum = spoken.billnum)
    -- What resolves a break must be on record.
    AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation_break AS known
        WHERE known.profile = %(profile)s AND known.state <> 'resolved' AND known.jobid = spoken.jobid
    )
    AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation_break AS known
        WHERE known.profile = %(profile)s AND known.state <> 'resolved' AND known.invoice_key = 'b:' || spoken.billnum
    );
ANALYZE settled;

DELETE FROM ledger_row USING settled WHERE ledger_row.jobid = settled.jobid;
DROP TABLE spoken_pair;
