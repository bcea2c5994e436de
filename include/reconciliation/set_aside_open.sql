-- Of what a full comparison keeps most is plainly open: one job under one number, one ledger row of both, nothing paid or
-- credited on either side, and the same stage. The rules would find each of these matched, and nothing else (compare.sql):
-- they are set aside in `open_row`, until it is known whether their names are theirs alone (keep_rest.sql).

-- The codes that say nothing of a payment, and the ledger's words that mean unpaid or leave it to the amounts.
CREATE UNLOGGED TABLE {plain_code} AS
SELECT statustype, code, stage FROM code_meaning WHERE payment IS NULL;
CREATE UNLOGGED TABLE {unpaid_word} AS
SELECT status, stage FROM word_meaning WHERE COALESCE(payment, 0) = 0 AND part_end IS NULL;
ANALYZE {plain_code};
ANALYZE {unpaid_word};

-- A job that is open by its row alone has no other, no money, no code that is an end or unknown, and no event but under both
-- names of its row. So what its events come to is asked by the job: each process reads those of its own jobs.
-- A stage stands in the last digit, behind its moment, once as it is and once as what it lacks to nine: where the newest
-- moment has two stages, whose order the rules know, the two largest numbers tell of another stage each. So they do before
-- 1970, where moments are negative.
CREATE UNLOGGED TABLE {open_job} AS
SELECT jobid, count(*)::integer AS event_count, mod(max(moment * 10 + stage), 10)::integer AS stage
FROM {kept_job} AS kept
JOIN ropo.event_as_read AS event USING (jobid)
CROSS JOIN LATERAL (SELECT (extract(epoch FROM statustime) * 1000000)::bigint AS moment) AS at
LEFT JOIN {plain_code} AS plain USING (statustype, code)
WHERE event.profile = %(profile)s AND kept.is_open
GROUP BY jobid
HAVING bool_and(plain.code IS NOT NULL)
    AND COALESCE(mod(max(moment * 10 + stage), 10) = 9 - mod(max(moment * 10 + 9 - stage), 10), true);
ANALYZE {open_job};

CREATE UNLOGGED TABLE {open_row} AS
SELECT booked.*, event_count, said.stage, word.stage AS ledger_stage
FROM {every_row} AS booked
JOIN {open_job} AS said USING (jobid)
JOIN {unpaid_word} AS word USING (status)
WHERE COALESCE(said.stage = word.stage, true);
ANALYZE {open_row};
DROP TABLE {plain_code}, {unpaid_word}, {open_job};
