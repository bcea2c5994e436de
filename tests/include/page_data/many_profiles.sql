-- Sixty profiles with two reconciliations of each of 200 dates, 30,000 polls and 20,000 breaks, most of them resolved; each
-- month of two years signed twice, since it changed after the first time, in 30 flags.
INSERT INTO ropo.profile_pin
SELECT 'p' || p, 'https://ropo24.fi', p, '2026-06-01' FROM generate_series(1, 60) AS p;
INSERT INTO ropo.break_policy SELECT 'p' || p, 'Europe/Helsinki', 100, 1000, 3, 10 FROM generate_series(1, 60) AS p;
INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from)
SELECT
    'p' || p, 'drain', CASE WHEN n % 2 = 0 THEN 'empty' ELSE 'landed' END, timestamptz '2026-11-25' - n * interval '1 hour',
    timestamptz '2026-11-25' - n * interval '1 hour', '2026-01-01'
FROM generate_series(500, 1, -1) AS n, generate_series(1, 60) AS p;
INSERT INTO ropo.reconciliation (
    profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, reasons,
    categories, totals, unmapped, status_map_version, ledger_cutoff, started_at, finished_at, view_at
)
SELECT
    'p' || p, date '2026-11-25' - n, 'date', CASE WHEN n % 50 = 0 THEN 'breaks' WHEN k = 1 THEN 'pending' ELSE 'reconciled' END,
    10, 10 - (n % 50 = 0)::integer, 0, (n % 50 = 0)::integer, 0, 0, '[]', '{}', '{}', '[]', 'v1',
    now(), date '2026-11-25' - n + k, now(), date '2026-11-25' - n + k
FROM (VALUES (1), (2)) AS run (k), generate_series(200, 1, -1) AS n, generate_series(1, 60) AS p
ORDER BY n DESC, k, p;
INSERT INTO ropo.reconciliation_break (
    profile, invoice_key, billnum, category, state, business_date, currency, amount, evidence, first_seen, last_seen,
    times_seen, first_reconciliation_id, last_reconciliation_id, resolved_at
)
SELECT
    reconciliation.profile, 'b:' || reconciliation_id, reconciliation_id, 'ledger_behind',
    CASE WHEN reconciliation_id % 100 = 0 THEN 'open' ELSE 'resolved' END, business_date, 'EUR', 7, '{}', now(), now(), 1,
    reconciliation_id, reconciliation_id, CASE WHEN reconciliation_id % 100 <> 0 THEN now() END
FROM ropo.reconciliation
LIMIT 20000;
INSERT INTO ropo.period_sign_off (profile, period, signed_by, countersigned_by, countersigned_at, evidence)
SELECT 'p' || p, date '2024-11-01' + n * interval '1 month', 'Anna', 'Otto', now(), '{"breaks": []}'
FROM generate_series(1, 2) AS again, generate_series(0, 23) AS n, generate_series(1, 60) AS p
ORDER BY again;
INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, note)
SELECT sign_off_id, 'result_changed', period + n, 1, 'x'
FROM ropo.period_sign_off
CROSS JOIN generate_series(1, 30) AS n
WHERE sign_off_id <= 60 * 24;
