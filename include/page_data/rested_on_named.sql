-- The largest of the breaks that a month's signature rests on.
SELECT
    break_id, invoice_key, billnum, jobid, category, reason, state, is_accepted_anew, currency, amount, accepted_by,
    accepted_note
FROM ({rested_on}) AS rested_on
ORDER BY amount DESC, break_id
LIMIT %(most)s
