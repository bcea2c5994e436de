-- One reconciliation of 50,000 invoices of which every tenth differs, and a break of each difference.
INSERT INTO ropo.break_policy VALUES ('default', 'Europe/Helsinki', 100, 1000, 3, 10);
INSERT INTO ropo.reconciliation (
    profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, reasons,
    categories, totals, unmapped, status_map_version, ledger_cutoff, started_at, finished_at
)
SELECT
    'default', '2026-11-24', 'date', 'breaks', 50000, 45000, 0, 5000, 0, 0, '[]', '{}', '{}', '[]', 'v1', now(), now(),
    now()
FROM generate_series(1, 2);
INSERT INTO ropo.reconciliation_item (
    reconciliation_id, invoice_key, profile, billnum, jobid, category, reason, grace_from, event_count,
    ledger_row_count, currency, ropo_paid, ledger_paid, ledger_total
)
SELECT
    reconciliation_id, 'b:' || number, 'default', number::text, (number + 3000000)::text,
    CASE WHEN number % 10 > 0 THEN 'matched' WHEN number % 20 = 0 THEN 'ledger_behind' ELSE 'amount_mismatch' END,
    CASE WHEN number % 10 > 0 THEN NULL WHEN number % 20 = 0 THEN 'payment' ELSE 'payments' END,
    CASE WHEN number % 10 = 0 THEN now() END,
    1, 1, 'EUR', (number % 5000)::numeric / 7, 0, (number % 5000)::numeric / 7
FROM ropo.reconciliation, generate_series(100001, 150000) AS number
WHERE reconciliation_id = (SELECT max(reconciliation_id) FROM ropo.reconciliation);
INSERT INTO ropo.reconciliation_break (
    profile, invoice_key, billnum, jobid, category, reason, state, business_date, currency, amount, evidence,
    first_seen, last_seen, times_seen, first_reconciliation_id, last_reconciliation_id, resolved_at
)
SELECT
    profile, invoice_key, billnum, jobid, category, reason, CASE WHEN billnum::integer % 50 = 0 THEN 'open' ELSE 'resolved' END,
    date '2026-11-24' - billnum::integer % 60, currency,
    ropo.amount_at_stake(ropo_paid, ropo_discount, ledger_paid, ledger_discount, ledger_total, ledger_credited, ledger_open), '{}',
    now(), now(), 1, reconciliation_id, reconciliation_id, CASE WHEN billnum::integer % 50 > 0 THEN now() END
FROM ropo.reconciliation_item
WHERE category <> 'matched';

-- One invoice of which far more was said than a page shows, among others.
INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from)
VALUES ('default', 'drain', 'landed', now(), now(), '2026-01-01');
INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, raw, source,
    first_poll_id, first_seen_at, content_poll_id, content_sha256
)
SELECT
    'default', 'C' || number, 'J' || job, job, 'comment', timestamp '2026-11-24' + number % 4000 * interval '1 second', '98',
    'Viesti', '', '{}', 'drain', poll_id, now(), poll_id, sha256('')
FROM ropo.status_poll, generate_series(1, 7000) AS number, LATERAL (SELECT greatest(1, number - 5000)) AS of (job);
SELECT ropo.note_days();

-- Three years of other dates, each compared by itself.
INSERT INTO ropo.reconciliation (
    profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, reasons,
    categories, totals, unmapped, status_map_version, ledger_cutoff, started_at, finished_at
)
SELECT
    'default', date '2023-11-01' + day, 'date', 'reconciled', 0, 0, 0, 0, 0, 0, '[]', '{}', '{}', '[]', 'v1', now(), now(), now()
FROM generate_series(1, 1000) AS day;
INSERT INTO ropo.reconciled_date (profile, business_date, scope, reconciliation_id, rules_version, checked_at)
SELECT profile, business_date, scope, max(reconciliation_id), 'v1', now()
FROM ropo.reconciliation
GROUP BY profile, business_date, scope;
