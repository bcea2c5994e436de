-- What the page shows, beside the events of comparison_data.sql: half a year of dates, of which yesterday's compared all
-- invoices; one in ten of them differs, and each difference is an open break.
INSERT INTO ropo.status_poll (
    profile, kind, outcome, opened_at, closed_at, window_from, row_count, new_count
)
SELECT 'default', 'drain', CASE WHEN n %% 2 = 0 THEN 'empty' ELSE 'landed' END,
    now() - n * interval '15 minutes', now() - n * interval '15 minutes', '2026-01-01', n %% 2 * 500, n %% 2 * 500
FROM generate_series(1, 20000) AS n;

INSERT INTO ropo.break_policy VALUES ('default', 'Europe/Helsinki', 100, 1000, 3, 10);

INSERT INTO ropo.reconciliation (
    profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, recovered,
    reasons, categories, totals, unmapped, status_map_version, ledger_cutoff, started_at, finished_at, view_at
)
SELECT
    'default', current_date - n, 'date', 'breaks', %(invoices)s, %(invoices)s - %(invoices)s / 10, 0, %(invoices)s / 10,
    0, 0, 0, '[{"word": "breaks", "text": "one in ten differs"}]',
    '{"matched": {"matched": 9}, "ledger_behind": {"breaks": 1}, "amount_mismatch": {"breaks": 1}}',
    '{"population": 10, "currencies": [{"currency": "EUR", "invoices": 10, "ropo_paid": "9", "ropo_discount": "0",
      "ledger_paid": "9", "ledger_discount": "0"}]}',
    '[]', 'v1', now(), now() - n * interval '1 day', now(), now() - n * interval '1 day'
FROM generate_series(180, 1, -1) AS n;

INSERT INTO ropo.reconciliation_item (
    reconciliation_id, invoice_key, profile, billnum, jobid, category, reason, grace_from, ropo_status, ledger_status,
    event_count, ledger_row_count, currency, ropo_paid, ledger_paid, ledger_total
)
SELECT
    (SELECT max(reconciliation_id) FROM ropo.reconciliation), 'b:' || 20000000 + invoice, 'default',
    (20000000 + invoice)::text, (3000000 + invoice)::text,
    CASE WHEN invoice %% 10 > 0 THEN 'matched' WHEN invoice %% 20 = 0 THEN 'ledger_behind' ELSE 'amount_mismatch' END,
    CASE WHEN invoice %% 10 > 0 THEN NULL WHEN invoice %% 20 = 0 THEN 'payment' ELSE 'payments' END,
    CASE WHEN invoice %% 10 = 0 THEN now() END,
    'paid', 'unpaid', 5, 1, CASE WHEN invoice %% 7 = 0 THEN 'SEK' ELSE 'EUR' END,
    (invoice %% 5000)::numeric / 7, 0, (invoice %% 5000)::numeric / 7
FROM generate_series(1, %(invoices)s) AS invoice;

INSERT INTO ropo.reconciliation_break (
    profile, invoice_key, billnum, jobid, category, reason, state, business_date, currency, amount, evidence, first_seen,
    last_seen, times_seen, first_reconciliation_id, last_reconciliation_id
)
SELECT
    profile, invoice_key, billnum, jobid, category, reason, 'open', current_date - 1 - billnum::integer %% 60, currency,
    ropo.amount_at_stake(ropo_paid, ropo_discount, ledger_paid, ledger_discount, ledger_total, ledger_credited, ledger_open),
    '{"ropo_status": "paid", "ledger_status": "unpaid"}', now(), now(), 1, reconciliation_id, reconciliation_id
FROM ropo.reconciliation_item
WHERE category <> 'matched';

INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, evidence, reconciliation_id)
SELECT break_id, 'reconciliation', 'opened', '{}', first_reconciliation_id FROM ropo.reconciliation_break;

VACUUM ANALYZE;
