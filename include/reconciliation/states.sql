-- What each side says of each invoice of the population, in the three parts of a state.

-- `seq` follows statustime, so that the newest of some events has the latest of their dates. A part's newest code stands
-- in the last digit of the largest of its events' numbers: payments and stages are places in lists of less than ten.
CREATE TEMP TABLE ropo_side ON COMMIT DROP AS
WITH newest AS (
    SELECT
        invoice_key,
        count(*) AS event_count,
        COALESCE(sum(amount) FILTER (WHERE kind = 'paid'), 0) AS paid,
        COALESCE(sum(amount) FILTER (WHERE kind = 'discount'), 0) AS discount,
        COALESCE(bool_or(amount < 0) FILTER (WHERE kind IN ('paid', 'discount')), false) AS has_negative,
        COALESCE(bool_or(amount IS NULL) FILTER (WHERE kind IN ('paid', 'discount')), false) AS lacks_amount,
        mod(max(seq * 10 + payment), 10)::integer AS payment_code,
        mod(max(seq * 10 + stage), 10)::integer AS stage,
        max(seq) FILTER (WHERE stage IS NOT NULL) AS stage_seq,
        max(seq) FILTER (WHERE kind IN ('paid', 'discount') OR payment IS NOT NULL) AS payment_seq,
        max(seq) FILTER (WHERE part_end IS NOT NULL AND may_end) AS end_seq,
        max(seq) FILTER (WHERE NOT is_mapped) AS unmapped_seq,
        max(seq) FILTER (WHERE NOT is_mapped AND statustype = 'payment') AS unmapped_money_seq,
        -- A code that means nothing (98) cannot make an unknown one known.
        max(seq) FILTER (
            WHERE kind IN ('paid', 'discount') OR payment IS NOT NULL OR stage IS NOT NULL OR part_end IS NOT NULL
        ) AS meaning_seq,
        min(business_date) AS first_date,
        max(business_date) FILTER (WHERE kind IN ('paid', 'discount')) AS money_date,
        max(business_date) FILTER (WHERE kind IN ('paid', 'discount') OR payment IS NOT NULL) AS payment_date,
        max(business_date) FILTER (WHERE stage IS NOT NULL) AS stage_date,
        max(business_date) FILTER (WHERE part_end IS NOT NULL AND may_end) AS end_date,
        max(business_date) FILTER (WHERE NOT is_mapped) AS unmapped_date
    FROM spoken
    JOIN population USING (invoice_key)
    WHERE NOT population.is_out_of_scope
    GROUP BY invoice_key
)
SELECT newest.*, of_end.part_end
FROM newest
LEFT JOIN (SELECT seq, part_end FROM spoken WHERE part_end IS NOT NULL) AS of_end ON of_end.seq = newest.end_seq;
ANALYZE ropo_side;

-- Of invoices that were sent again: the jobs by which nothing was paid, at the stage where they are. A payment that names no
-- job may be of any.
CREATE TEMP TABLE unpaid_job ON COMMIT DROP AS
SELECT
    invoice_key,
    mod(max(seq * 10 + stage), 10)::integer AS stage,
    max(seq) FILTER (WHERE stage IS NOT NULL) AS stage_seq
FROM spoken
WHERE invoice_key IN (SELECT invoice_key FROM job WHERE NOT is_newest)
GROUP BY invoice_key, jobid
HAVING jobid IS NOT NULL
    AND NOT COALESCE(bool_or(kind IN ('paid', 'discount') OR payment > 0), false)
    AND max(seq) FILTER (WHERE stage IS NOT NULL) > COALESCE(max(seq) FILTER (WHERE part_end IS NOT NULL), 0);
DELETE FROM unpaid_job
USING spoken
WHERE spoken.invoice_key = unpaid_job.invoice_key AND spoken.jobid IS NULL
    AND (spoken.kind IN ('paid', 'discount') OR spoken.payment > 0);
ANALYZE unpaid_job;

CREATE TEMP TABLE ledger_side ON COMMIT DROP AS
WITH ranked AS (
    SELECT
        owned_row.*,
        -- One row stands for the invoice; of several (a category of its own) always the same one, in whatever order the ERP
        -- returns them.
        row_number() OVER (
            PARTITION BY invoice_key
            ORDER BY jobid COLLATE "C", billnum COLLATE "C", changed_at DESC NULLS LAST, total, paid, status COLLATE "C",
                discount, credited, open, currency COLLATE "C", sent_at, payments_by_ropo
        ) AS place,
        count(*) OVER (PARTITION BY invoice_key) AS row_count
    FROM owned_row
    JOIN population USING (invoice_key)
    WHERE NOT population.is_out_of_scope
), keys AS (
    SELECT
        invoice_key,
        count(DISTINCT row_key) AS key_count,
        count(jobid) > count(DISTINCT jobid) AS repeats_jobid
    FROM ranked
    WHERE row_count > 1
    GROUP BY invoice_key
)
SELECT
    ranked.*,
    COALESCE(keys.key_count, 1) AS key_count,
    COALESCE(keys.repeats_jobid, false) AS repeats_jobid,
    word.status IS NOT NULL AS is_mapped,
    word.payment AS payment_word,
    word.stage,
    word.part_end,
    ranked.total - COALESCE(ranked.credited, 0) AS payable
FROM ranked
LEFT JOIN keys USING (invoice_key)
LEFT JOIN word_meaning AS word ON word.status = ranked.status;
ANALYZE ledger_side;
