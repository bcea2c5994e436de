-- A full comparison keeps what is not settled (take_unsettled.sql). Most invoices are plainly settled: one job under one
-- number and one ledger row of both, every code known, paid on both sides by the same sums. They are told in one pass and
-- left out here, so that the rules are applied to the rest alone. What is not plain in any respect is never left out.
CREATE TEMP TABLE spoken_job ON COMMIT DROP AS
SELECT
    jobid,
    min(billnum COLLATE "C") AS billnum,
    COALESCE(sum(amount) FILTER (WHERE statustype = 'payment' AND statustext = ANY(%(paid)s)), 0) AS paid,
    COALESCE(sum(amount) FILTER (WHERE statustype = 'payment' AND statustext = ANY(%(discount)s)), 0) AS discount,
    count(billnum) = count(*) AND min(billnum COLLATE "C") = max(billnum COLLATE "C") AS has_one_billnum,
    bool_and(
        CASE
            WHEN statustype <> 'payment' THEN statustype || ' ' || statuscode = ANY(%(endless)s)
            WHEN statustext = ANY(%(paid)s) OR statustext = ANY(%(discount)s) THEN amount > 0 IS TRUE
            ELSE statustext = ANY(%(ignored)s)
        END
    ) AS is_plain    -- a type in other than small letters is not
FROM ropo.status_event
WHERE profile = %(profile)s
GROUP BY jobid;
ANALYZE spoken_job;

-- Numbers that belong to several jobs, or to a job of several numbers, or that are spoken of without a job.
CREATE TEMP TABLE shared_billnum ON COMMIT DROP AS
SELECT billnum FROM spoken_job WHERE has_one_billnum GROUP BY billnum HAVING count(*) > 1
UNION
SELECT event.billnum
FROM spoken_job AS spoken
JOIN ropo.status_event AS event ON event.profile = %(profile)s AND event.jobid = spoken.jobid
WHERE NOT spoken.has_one_billnum
UNION
SELECT billnum FROM ropo.status_event WHERE profile = %(profile)s AND jobid IS NULL;

CREATE TEMP TABLE settled ON COMMIT DROP AS
SELECT spoken.jobid
FROM spoken_job AS spoken
JOIN every_row AS booked USING (jobid, billnum)
JOIN word_meaning AS word USING (status)
WHERE spoken.is_plain
    AND spoken.has_one_billnum
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
    AND NOT EXISTS (SELECT FROM shared_billnum AS shared WHERE shared.billnum = spoken.billnum)
    AND NOT EXISTS (
        SELECT FROM (SELECT jobid FROM every_row GROUP BY jobid HAVING count(*) > 1) AS again
        WHERE again.jobid = spoken.jobid
    )
    AND NOT EXISTS (
        SELECT FROM (SELECT billnum FROM every_row GROUP BY billnum HAVING count(*) > 1) AS again
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

-- With the place that each row came at: of rows alike in all else, it says which stands for its invoice.
INSERT INTO ledger_row OVERRIDING SYSTEM VALUE
SELECT every_row.*
FROM every_row
WHERE NOT EXISTS (SELECT FROM settled WHERE settled.jobid = every_row.jobid);
DROP TABLE every_row, spoken_job, shared_billnum;
