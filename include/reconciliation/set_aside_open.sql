-- Of what a full comparison keeps most is plainly open: one job under one number, one ledger row of both, nothing paid or
-- credited on either side, and the same stage. The rules would find each of these matched, and nothing else (compare.sql):
-- they are set aside in `plainly_open`, and the rest goes to the rules. What is not plain in any respect is of the rest.

-- Each two names that events and rows bear together, and whether all that bear them are plain. A stage stands in the last
-- digit, behind its moment, once as it is and once as what it lacks to nine: where the newest moment has two stages, whose
-- order the rules know, the two largest numbers tell of another stage each. So they do before 1970, where moments are
-- negative.
CREATE TEMP TABLE pair ON COMMIT DROP AS
SELECT
    jobid,
    billnum,
    count(*) FILTER (WHERE NOT is_row) AS event_count,
    count(*) FILTER (WHERE is_row) AS row_count,
    bool_and(is_plain) AS is_plain,
    mod(max(moment * 10 + stage), 10)::integer AS stage,
    9 - mod(max(moment * 10 + 9 - stage), 10)::integer AS least_stage
FROM (
    SELECT
        jobid, billnum, false AS is_row, stage, (extract(epoch FROM statustime) * 1000000)::bigint AS moment,
        meaning.code IS NOT NULL AND kind IS NULL AND payment IS NULL AND part_end IS NULL AS is_plain
    FROM kept_event
    LEFT JOIN code_meaning AS meaning USING (statustype, code)
    UNION ALL
    SELECT
        jobid, billnum, true, NULL, NULL,
        COALESCE(
            COALESCE(word.payment, 0) = 0
            AND word.part_end IS NULL
            AND total > 0
            AND COALESCE(open, total) = total
            AND paid = 0
            AND COALESCE(discount, 0) = 0
            AND COALESCE(credited, 0) = 0
            AND COALESCE(payments_by_ropo, true)
            AND COALESCE(sent_at >= %(start)s, true),
            false
        )
    FROM kept_row
    LEFT JOIN word_meaning AS word USING (status)
) AS said
GROUP BY jobid, billnum;
ANALYZE pair;

-- Names that are in several pairs, and those of what has a break or waits in quarantine.
CREATE TEMP TABLE for_the_rules ON COMMIT DROP AS
SELECT jobid, NULL AS billnum FROM pair WHERE jobid IS NOT NULL GROUP BY jobid HAVING count(*) > 1
UNION ALL
SELECT NULL, billnum FROM pair WHERE billnum IS NOT NULL GROUP BY billnum HAVING count(*) > 1
UNION ALL
SELECT jobid, billnum FROM named_invoice;
ANALYZE for_the_rules;

-- None of what is joined is small, whatever PostgreSQL makes of the conditions.
SET LOCAL enable_nestloop = off;
INSERT INTO plainly_open (
    invoice_key, jobid, billnum, event_count, stage, status, ledger_stage, total, paid, discount, credited, open, currency
)
SELECT
    'b:' || billnum, jobid, billnum, event_count, pair.stage, status, word.stage, total, paid, discount, credited, open,
    currency
FROM pair
JOIN kept_row USING (jobid, billnum)
JOIN word_meaning AS word USING (status)
WHERE is_plain AND event_count > 0 AND row_count = 1
    AND COALESCE(pair.stage = pair.least_stage, true)
    AND COALESCE(pair.stage = word.stage, true)
    AND NOT EXISTS (SELECT FROM for_the_rules AS other WHERE other.jobid = pair.jobid)
    AND NOT EXISTS (SELECT FROM for_the_rules AS other WHERE other.billnum = pair.billnum);
SET LOCAL enable_nestloop = DEFAULT;
ANALYZE plainly_open;

INSERT INTO found_event (statusid, jobid, billnum, statustype, code, statustime, number, amount, seen_on)
SELECT
    statusid, jobid, billnum, statustype, code, statustime, ropo.statusid_number(statusid), amount,
    (first_seen_at AT TIME ZONE %(timezone)s)::date
FROM kept_event
WHERE NOT EXISTS (SELECT FROM plainly_open WHERE plainly_open.jobid = kept_event.jobid);
INSERT INTO ledger_row (
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at, payments_by_ropo
)
SELECT
    batch, billnum, CASE WHEN lacks_jobid THEN NULL ELSE jobid END, status, total, paid, discount, credited, open, currency,
    sent_at, changed_at, payments_by_ropo
FROM kept_row
WHERE NOT EXISTS (SELECT FROM plainly_open WHERE plainly_open.jobid = kept_row.jobid);

DROP TABLE kept_event, kept_row, pair, for_the_rules
