-- What is to be said of a whole ledger, in one pass over it: (subject, how many rows, the invoice number of one of them,
-- or what the subject names). `ledger` is the ERP's SELECT in the contract's columns.
, word AS (
    SELECT * FROM unnest(%(words)s::text[], %(pays)s::boolean[]) AS word (status, is_paid)
), booked AS (
    SELECT
        ledger.*,
        word.status IS NOT NULL AS is_mapped,
        word.is_paid,
        -- What Ropo's discount may stand in for is not known yet where the ERP keeps no discounts.
        ledger.total - ledger.paid - COALESCE(ledger.discount, 0) - COALESCE(ledger.credited, 0) AS rest
    FROM ledger
    LEFT JOIN word USING (status)
), blank AS (
    -- Some of what Python's strip() takes from Ropo's ids and the program's SELECTs do not: an index that serves these takes
    -- spaces alone. The no-break space stands where it is one.
    SELECT E' \t\n\x0B\f\r'
        || CASE WHEN getdatabaseencoding() ~ '^(UTF8|LATIN|WIN125|ISO_8859)' THEN chr(160) ELSE '' END AS characters
), counted AS (
    SELECT
        count(*) AS rows,
        count(*) FILTER (WHERE jobid IS NOT NULL) AS with_jobid,
        count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent,
        count(*) FILTER (WHERE changed_at IS NOT NULL) AS with_change,
        max(changed_at)::text AS newest_change,
        count(*) FILTER (WHERE discount IS NULL) AS without_discount,
        count(*) FILTER (WHERE COALESCE(billnum, '') = '') AS no_billnum,
        min(jobid) FILTER (WHERE COALESCE(billnum, '') = '') AS no_billnum_of,
        count(*) FILTER (WHERE COALESCE(status, '') = '') AS no_status,
        min(billnum) FILTER (WHERE COALESCE(status, '') = '') AS no_status_of,
        count(*) FILTER (WHERE total IS NULL) AS no_total,
        min(billnum) FILTER (WHERE total IS NULL) AS no_total_of,
        count(*) FILTER (WHERE paid IS NULL) AS no_paid,
        min(billnum) FILTER (WHERE paid IS NULL) AS no_paid_of,
        count(*) FILTER (WHERE is_no_amount) AS no_amount,
        min(billnum) FILTER (WHERE is_no_amount) AS no_amount_of,
        count(*) FILTER (WHERE is_too_long) AS too_long,
        min(billnum) FILTER (WHERE is_too_long) AS too_long_of,
        count(*) FILTER (WHERE currency !~ '^[A-Z]{3}$') AS no_currency,
        min(billnum) FILTER (WHERE currency !~ '^[A-Z]{3}$') AS no_currency_of,
        count(*) FILTER (WHERE sent_at > now() + interval '1 day' OR changed_at > now() + interval '1 day') AS future,
        min(billnum) FILTER (
            WHERE sent_at > now() + interval '1 day' OR changed_at > now() + interval '1 day'
        ) AS future_of,
        count(*) FILTER (WHERE sent_at < '2000-01-01') AS long_ago,
        min(billnum) FILTER (WHERE sent_at < '2000-01-01') AS long_ago_of,
        count(*) FILTER (WHERE has_blanks) AS blanks,
        min(billnum) FILTER (WHERE has_blanks) AS blanks_of,
        count(*) FILTER (WHERE is_off) AS off,
        min(billnum) FILTER (WHERE is_off) AS off_of,
        count(*) FILTER (WHERE is_paid_but_open) AS paid_but_open,
        min(billnum) FILTER (WHERE is_paid_but_open) AS paid_but_open_of
    FROM (
        SELECT
            booked.*,
            'NaN' IN (total, paid, discount, credited, open) OR 'Infinity' IN (total, paid, discount, credited, open)
                OR '-Infinity' IN (total, paid, discount, credited, open) AS is_no_amount,
            %(longest)s < length(billnum) OR %(longest)s < length(jobid) OR %(longest)s < length(status) AS is_too_long,
            btrim(billnum, characters) <> billnum OR btrim(jobid, characters) <> jobid
                OR btrim(status, characters) <> status AS has_blanks,
            total > 0 AND CASE WHEN discount IS NULL THEN open > rest ELSE open <> rest END AS is_off,
            total > 0 AND is_paid
                AND COALESCE(open, CASE WHEN discount IS NOT NULL THEN rest END) > 0 AS is_paid_but_open
        FROM booked
        CROSS JOIN blank
    ) AS judged
), repeated_job AS (
    SELECT jobid, count(*) AS rows FROM ledger WHERE jobid IS NOT NULL GROUP BY jobid HAVING count(*) > 1
), repeated_bill AS (
    SELECT billnum, count(*) AS rows FROM ledger WHERE jobid IS NULL AND billnum <> '' GROUP BY billnum HAVING count(*) > 1
), known AS (
    SELECT * FROM unnest(%(jobids)s::text[], %(billnums)s::text[]) WITH ORDINALITY AS known (jobid, billnum, place)
), near_row AS (
    SELECT jobid, billnum
    FROM ledger
    WHERE jobid = ANY(%(jobids)s::text[]) OR billnum = ANY(%(billnums)s::text[])
), found AS (
    SELECT
        known.jobid,
        known.billnum,
        by_job.jobid IS NOT NULL AS has_job,
        by_bill.billnum IS NOT NULL AS has_bill,
        by_job.billnum AS other_billnum
    FROM known
    LEFT JOIN (SELECT jobid, min(billnum) AS billnum FROM near_row GROUP BY jobid) AS by_job
        ON by_job.jobid = known.jobid
    LEFT JOIN (SELECT DISTINCT billnum FROM near_row) AS by_bill ON by_bill.billnum = known.billnum
)
SELECT named.* FROM counted, LATERAL (VALUES
    ('rows', rows, newest_change),
    ('with_jobid', with_jobid, NULL),
    ('sent', sent, NULL),
    ('with_change', with_change, NULL),
    ('without_discount', without_discount, NULL),
    ('no_billnum', no_billnum, no_billnum_of),
    ('no_status', no_status, no_status_of),
    ('no_total', no_total, no_total_of),
    ('no_paid', no_paid, no_paid_of),
    ('no_amount', no_amount, no_amount_of),
    ('too_long', too_long, too_long_of),
    ('no_currency', no_currency, no_currency_of),
    ('future', future, future_of),
    ('long_ago', long_ago, long_ago_of),
    ('blanks', blanks, blanks_of),
    ('off', off, off_of),
    ('paid_but_open', paid_but_open, paid_but_open_of)
) AS named (subject, rows, example)
UNION ALL
SELECT 'jobid_twice', COALESCE(sum(rows), 0)::bigint, min(jobid) FROM repeated_job
UNION ALL
SELECT 'billnum_twice', COALESCE(sum(rows), 0)::bigint, min(billnum) FROM repeated_bill
UNION ALL
SELECT 'known_by_jobid', count(*), NULL FROM found WHERE has_job
UNION ALL
SELECT 'known_by_billnum', count(*), NULL FROM found WHERE has_bill AND NOT has_job
UNION ALL
SELECT 'other_billnum', count(*), min(jobid) FROM found WHERE other_billnum <> billnum
UNION ALL
(SELECT 'missing', 1, COALESCE(billnum, jobid) FROM found WHERE NOT has_job AND NOT has_bill ORDER BY 3)
UNION ALL
(
    SELECT 'unmapped', count(*), status
    FROM booked
    WHERE NOT is_mapped AND status <> ''
    GROUP BY status
    ORDER BY 2 DESC, 3
    LIMIT 50
)
