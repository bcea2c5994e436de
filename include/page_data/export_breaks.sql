-- Breaks as CSV has them. The program adds where they are read, which of them, and their order, and the words for what to
-- do next.
SELECT
    break.break_id,
    break.billnum,
    break.jobid,
    break.category,
    break.reason,
    NULL AS what_to_do_next,
    break.state,
    break.severity::text AS severity,
    break.age_days,
    break.business_date,
    CASE WHEN ropo.is_stake_known(break.category, break.amount) THEN break.amount END AS at_stake,
    break.currency,
    break.evidence ->> 'ropo_status' AS ropo_status,
    break.evidence ->> 'ledger_status' AS ledger_status,
    break.evidence ->> 'ledger_word' AS ledger_word,
    (break.evidence ->> 'ropo_paid')::numeric AS ropo_paid,
    (break.evidence ->> 'ropo_discount')::numeric AS ropo_discount,
    (break.evidence ->> 'ledger_total')::numeric AS ledger_total,
    (break.evidence ->> 'ledger_paid')::numeric AS ledger_paid,
    (break.evidence ->> 'ledger_discount')::numeric AS ledger_discount,
    (break.evidence ->> 'ledger_credited')::numeric AS ledger_credited,
    (break.evidence ->> 'ledger_open')::numeric AS ledger_open,
    break.evidence ->> 'further' AS further,
    (
        SELECT item.hint
        FROM ropo.reconciliation_item AS item
        WHERE item.reconciliation_id = break.last_reconciliation_id AND item.invoice_key = break.invoice_key
            AND item.category = break.category
    ) AS hint,
    break.first_seen,
    break.last_seen,
    break.times_seen,
    break.accepted_at,
    break.accepted_by,
    break.accepted_note,
    break.resolved_at,
    break.invoice_key
FROM {breaks} AS break
WHERE break.profile = %(profile)s
