-- What stands accepted with the very states and amounts that it was accepted with. (`@>`: a later version may hold more.)
UPDATE comparison
SET is_accepted = true
FROM item
JOIN (
    SELECT invoice_key, category, accepted_evidence
    FROM ropo.reconciliation_break
    WHERE profile = %(profile)s AND state = 'accepted'
    UNION ALL
    -- Under another name, as in breaks_renamed.sql: where a number became several invoices', that of its own job.
    SELECT former_name.invoice_key, known.category, known.accepted_evidence
    FROM former_name
    JOIN ropo.reconciliation_break AS known
        ON known.profile = %(profile)s AND known.invoice_key = former_name.former_key
        AND known.jobid IS NOT DISTINCT FROM former_name.jobid
    WHERE known.state = 'accepted' AND former_name.is_only
) AS known ON known.invoice_key = item.invoice_key AND known.category = item.category
WHERE comparison.invoice_key = item.invoice_key
    AND item.pending_until IS NULL
    AND ropo.break_evidence(
        item.reason, item.currency,
        item.ropo_status, item.ropo_payment, item.ropo_stage, item.ropo_end, item.ropo_paid, item.ropo_discount,
        item.ledger_status, item.ledger_payment, item.ledger_stage, item.ledger_end, item.ledger_word,
        item.ledger_row_count, item.ledger_total, item.ledger_paid, item.ledger_discount,
        item.ledger_credited, item.ledger_open, item.further
    ) @> known.accepted_evidence
