-- The comparison in words. A state is one word: the end, else paid or partly_paid, else the stage, else unpaid.
CREATE TEMP VIEW item AS
SELECT
    worded.*,
    COALESCE(ropo_end, NULLIF(ropo_payment, 'unpaid'), ropo_stage, ropo_payment) AS ropo_status,
    COALESCE(ledger_end, NULLIF(ledger_payment, 'unpaid'), ledger_stage, ledger_payment) AS ledger_status
-- A subquery, not a WITH: PostgreSQL looks through it, and finds an item by its key.
FROM (
    SELECT
        invoice_key, billnum, jobid, category, reason, hint, caused_on, grace_from, grace_until, pending_until, is_accepted,
        event_count, ledger_row_count, currency, ropo_paid, ropo_discount, ropo_end, ledger_end, ledger_word,
        ledger_total, ledger_paid, ledger_discount, ledger_credited, ledger_open, further,
        (%(payments)s::text[])[ropo_payment + 1] AS ropo_payment,
        (%(stages)s::text[])[ropo_stage + 1] AS ropo_stage,
        (%(payments)s::text[])[ledger_payment + 1] AS ledger_payment,
        (%(stages)s::text[])[ledger_stage + 1] AS ledger_stage
    FROM comparison
) AS worded
