-- Whose row is it. What a job is, which jobs are one invoice, and which ledger row belongs to which invoice.

-- `seq` is the one order of events that counts: by statustime, then by the number in the statusid, then by the statusid.
CREATE TEMP TABLE event ON COMMIT DROP AS
SELECT found.*, row_number() OVER (ORDER BY statustime, number, statusid COLLATE "C") AS seq
FROM found_event AS found;

-- A job's invoice number is the newest that its events say; where none says one, the ledger's row of that jobid does.
CREATE TEMP TABLE job ON COMMIT DROP AS
WITH spoken AS (
    SELECT jobid, max(seq) FILTER (WHERE billnum IS NOT NULL) AS naming_seq, min(seq) AS first_seq
    FROM event
    WHERE jobid IS NOT NULL
    GROUP BY jobid
), booked AS (
    SELECT jobid, min(billnum COLLATE "C") AS billnum
    FROM ledger_row
    WHERE jobid IN (SELECT jobid FROM spoken WHERE naming_seq IS NULL)
    GROUP BY jobid
)
SELECT
    spoken.jobid,
    COALESCE(naming.billnum, booked.billnum) AS billnum,
    spoken.first_seq,
    ''::text AS invoice_key,
    true AS is_newest
FROM spoken
LEFT JOIN event AS naming ON naming.seq = spoken.naming_seq
LEFT JOIN booked ON booked.jobid = spoken.jobid;

-- A billnum with several jobids (sent again) is one invoice unless the ledger has a row, of that very billnum, for each
-- jobid. A jobid that only the ledger knows counts as one of the several: a number used again, not yet spoken of by Ropo.
CREATE TEMP TABLE bill ON COMMIT DROP AS
WITH named AS (
    SELECT billnum FROM job WHERE billnum IS NOT NULL
    UNION
    SELECT billnum FROM event WHERE jobid IS NULL
), several AS (
    SELECT billnum
    FROM ledger_row
    GROUP BY billnum
    HAVING min(jobid COLLATE "C") <> max(jobid COLLATE "C")
), split AS (
    SELECT billnum
    FROM several
    JOIN job USING (billnum)
    LEFT JOIN ledger_row AS own USING (billnum, jobid)
    GROUP BY billnum
    HAVING bool_and(own.billnum IS NOT NULL)
)
SELECT named.billnum, split.billnum IS NOT NULL AS is_split
FROM named
LEFT JOIN split USING (billnum);
ANALYZE bill;

UPDATE job SET invoice_key = CASE
    WHEN billnum IS NULL OR billnum IN (SELECT billnum FROM bill WHERE is_split) THEN 'j:' || jobid
    ELSE 'b:' || billnum
END;

-- Of an invoice that was sent again the newest job is the one that was first spoken of last. A job is spoken of when something
-- becomes of it, an earlier one perhaps when it is called off: where another has the largest number, which Ropo One is not
-- known to give out in order, the ledger's row says which it is, if it names one of them alone.
WITH several AS MATERIALIZED (
    SELECT invoice_key, jobid, first_seq
    FROM job
    WHERE invoice_key IN (SELECT invoice_key FROM job GROUP BY invoice_key HAVING count(*) > 1)
), booked AS (
    SELECT invoice_key, (array_agg(DISTINCT jobid))[1] AS jobid
    FROM several
    JOIN ledger_row USING (jobid)
    GROUP BY invoice_key
    HAVING count(DISTINCT jobid) = 1
), newest AS (
    SELECT
        invoice_key,
        (array_agg(jobid ORDER BY first_seq DESC))[1] AS spoken,
        (array_agg(jobid ORDER BY ropo.statusid_number(jobid) DESC, first_seq DESC))[1] AS numbered
    FROM several
    GROUP BY invoice_key
)
UPDATE job SET is_newest = false
FROM newest
LEFT JOIN booked USING (invoice_key)
WHERE newest.invoice_key = job.invoice_key
    AND job.jobid <> CASE WHEN spoken = numbered THEN spoken ELSE COALESCE(booked.jobid, spoken) END;
ANALYZE job;

-- A row belongs by its jobid where Ropo knows it, else by its billnum; a row that Ropo knows nothing of stands alone.
-- Crossed: its jobid leads to one invoice of Ropo's, its billnum to another.
CREATE TEMP TABLE owned_row ON COMMIT DROP AS
SELECT
    booked.*,
    CASE
        WHEN job.jobid IS NOT NULL THEN job.invoice_key
        WHEN bill.billnum IS NOT NULL AND NOT bill.is_split THEN 'b:' || booked.billnum
        WHEN booked.jobid IS NOT NULL THEN 'j:' || booked.jobid
        ELSE 'b:' || booked.billnum
    END AS invoice_key,
    COALESCE('j:' || booked.jobid, 'b:' || booked.billnum) AS row_key,
    job.jobid IS NOT NULL AND job.billnum <> booked.billnum AND bill.billnum IS NOT NULL AS is_crossed,
    (booked.sent_at AT TIME ZONE %(timezone)s)::date AS sent_on,
    (booked.changed_at AT TIME ZONE %(timezone)s)::date AS changed_on
FROM ledger_row AS booked
LEFT JOIN job ON job.jobid = booked.jobid
LEFT JOIN bill ON bill.billnum = booked.billnum;
ANALYZE owned_row;

-- Where the jobid and the billnum lead to different rows (or a row's to different invoices), all that are touched are
-- ambiguous: nobody can say from here which of them is right. So is what has only a billnum that is several invoices'.
CREATE TEMP TABLE ambiguous_key ON COMMIT DROP AS
SELECT invoice_key FROM owned_row WHERE is_crossed
UNION
SELECT invoice_key FROM job WHERE billnum IN (SELECT billnum FROM owned_row WHERE is_crossed)
UNION
SELECT 'b:' || billnum FROM owned_row WHERE invoice_key <> 'b:' || billnum;

CREATE TEMP TABLE spoken ON COMMIT DROP AS
SELECT
    event.seq,
    event.statusid,
    event.statustime::date AS business_date,
    event.seen_on,
    event.statustype,
    event.code,
    event.amount,
    event.jobid,
    COALESCE(job.invoice_key, 'b:' || event.billnum) AS invoice_key,
    -- Sent again: the end of an earlier job is not the end of the invoice.
    event.jobid IS NULL OR job.is_newest AS may_end,
    meaning.code IS NOT NULL AS is_mapped,
    meaning.kind,
    meaning.payment,
    meaning.stage,
    meaning.part_end
FROM event
LEFT JOIN job ON job.jobid = event.jobid
LEFT JOIN code_meaning AS meaning ON meaning.statustype = event.statustype AND meaning.code = event.code;
ANALYZE spoken;

-- An invoice named by its jobid or, where nothing knows that jobid now, by its billnum. What neither side knows any more
-- keeps the name that it had.
CREATE TEMP TABLE resolved ON COMMIT DROP AS
-- Of the few that are named: all invoices of all time would be sorted for them.
WITH by_job AS (
    SELECT jobid, invoice_key FROM job WHERE jobid IN (SELECT jobid FROM named_invoice)
    UNION
    SELECT jobid, invoice_key FROM owned_row WHERE jobid IN (SELECT jobid FROM named_invoice)
), by_bill AS (
    SELECT billnum, invoice_key FROM job WHERE billnum IN (SELECT billnum FROM named_invoice)
    UNION
    SELECT billnum, 'b:' || billnum FROM event WHERE jobid IS NULL AND billnum IN (SELECT billnum FROM named_invoice)
    UNION
    SELECT billnum, invoice_key FROM owned_row WHERE billnum IN (SELECT billnum FROM named_invoice)
), named AS (
    -- Rows in quarantine that name one number, which may be that of many invoices, are one name: they are not told apart by
    -- jobids that nothing knows.
    SELECT DISTINCT
        named.invoice_key, named.billnum, named.business_date, named.is_seed, named.is_quarantined,
        by_job.invoice_key AS key_by_job,
        -- Its job is another invoice's, of which this comparison is not: it is found there, whatever number the row names.
        CASE
            WHEN NOT named.is_quarantined OR by_job.jobid IS NOT NULL THEN false
            ELSE EXISTS (
                SELECT FROM ropo.status_event AS held WHERE held.profile = %(profile)s AND held.jobid = named.jobid
            )
        END AS is_elsewhere,
        CASE
            WHEN named.is_quarantined AND by_job.jobid IS NULL AND named.billnum IN (SELECT billnum FROM by_bill) THEN NULL
            ELSE named.jobid
        END AS jobid
    FROM named_invoice AS named
    LEFT JOIN by_job ON by_job.jobid = named.jobid
)
SELECT
    COALESCE(named.key_by_job, by_bill.invoice_key, named.invoice_key) AS invoice_key,
    named.invoice_key AS former_key,
    named.jobid,
    named.business_date,
    named.is_seed,
    named.is_quarantined,
    CASE WHEN COALESCE(named.key_by_job, by_bill.invoice_key) IS NULL THEN named.jobid END AS lost_jobid,
    CASE WHEN COALESCE(named.key_by_job, by_bill.invoice_key) IS NULL THEN named.billnum END AS lost_billnum
FROM named
-- As a value and not as a further condition, by which a number that thousands share would be met by each of them first.
LEFT JOIN by_bill ON by_bill.billnum = CASE WHEN named.key_by_job IS NULL THEN named.billnum END
WHERE NOT named.is_elsewhere;

-- The names of invoices that nothing goes by any more, and what these invoices are named now; whether one alone is meant. A
-- row in quarantine proves no name: its keys are not followed.
CREATE TEMP TABLE former_name ON COMMIT DROP AS
SELECT former_key, invoice_key, jobid, count(*) OVER (PARTITION BY former_key, jobid) = 1 AS is_only
FROM (
    SELECT DISTINCT former_key, invoice_key, jobid
    FROM resolved
    WHERE former_key <> invoice_key AND NOT is_quarantined
        AND NOT EXISTS (SELECT FROM spoken WHERE spoken.invoice_key = former_key)
        AND NOT EXISTS (SELECT FROM owned_row WHERE owned_row.invoice_key = former_key)
) AS former;
CREATE INDEX ON former_name (invoice_key);
ANALYZE former_name;

-- To which of the dates an invoice belongs; to several, each on its own.
CREATE TEMP TABLE member ON COMMIT DROP AS
SELECT wanted.business_date, spoken.invoice_key
FROM spoken
JOIN wanted_date AS wanted ON wanted.business_date = spoken.business_date
UNION
SELECT wanted.business_date, spoken.invoice_key
FROM spoken
JOIN wanted_date AS wanted ON wanted.business_date = spoken.seen_on
UNION
SELECT wanted.business_date, owned_row.invoice_key
FROM owned_row
JOIN wanted_date AS wanted ON wanted.business_date = owned_row.sent_on
UNION
SELECT wanted.business_date, owned_row.invoice_key
FROM owned_row
JOIN wanted_date AS wanted ON wanted.business_date = owned_row.changed_on
UNION
SELECT business_date, invoice_key FROM resolved WHERE is_seed
UNION
-- Its events lead to another invoice now, and a row of the ledger still goes by its name.
SELECT resolved.business_date, owned_row.invoice_key
FROM resolved
JOIN owned_row ON owned_row.invoice_key = resolved.former_key
WHERE resolved.is_seed
UNION
SELECT NULL, invoice_key FROM spoken WHERE %(everything)s
UNION
SELECT NULL, invoice_key FROM owned_row WHERE %(everything)s;
ANALYZE member;

CREATE TEMP TABLE population ON COMMIT DROP AS
WITH one AS (
    SELECT DISTINCT invoice_key FROM member
), sent AS (
    -- In doubt it stays: only what every ledger row of it dates before the start is out of scope.
    SELECT invoice_key, bool_and(COALESCE(sent_at < %(start)s, false)) AS is_out_of_scope
    FROM owned_row
    GROUP BY invoice_key
)
SELECT one.invoice_key, COALESCE(sent.is_out_of_scope, false) AS is_out_of_scope
FROM one
LEFT JOIN sent USING (invoice_key);
ANALYZE population;
