-- A store in the proportions of a large one: 100,000 events, 60 dates of 1,000 invoices, 10,000 breaks.
INSERT INTO ropo.status_poll (profile, kind, outcome, filter_value, opened_at, closed_at, window_from, row_count, new_count)
SELECT
    'default', CASE WHEN n % 2 = 0 THEN 'drain' ELSE 'date' END, CASE WHEN n % 3 = 0 THEN 'empty' ELSE 'landed' END,
    CASE WHEN n % 2 = 1 THEN '2026-01-01' END, now() - (2000 - n) * interval '10 minutes',
    now() - (2000 - n) * interval '10 minutes', CASE WHEN n % 2 = 0 THEN date '2026-01-01' END, 1000, 10
FROM generate_series(1, 2000) AS n;

INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, raw, source,
    first_poll_id, first_seen_at, content_poll_id, content_sha256
)
SELECT
    'default', 'C' || n, 'J' || n % 20000, n % 20000, 'comment', now() - n * interval '1 minute', '98', 'Viesti', '', '{}',
    'drain', 1 + n % 2000, now() - n * interval '1 minute', 1, sha256('')
FROM generate_series(1, 100000) AS n;
SELECT ropo.note_days();

INSERT INTO ropo.status_event_revision (profile, statusid, revision, content_sha256, raw, poll_id)
SELECT 'default', 'C' || n, 1, sha256(''), '{}', 1 FROM generate_series(1, 5000) AS n;

INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete, parsed_at)
SELECT poll_id, '', sha256(''), opened_at, true, opened_at FROM ropo.status_poll;

INSERT INTO ropo.reconciliation (
    profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, reasons,
    categories, totals, unmapped, status_map_version, ledger_cutoff, started_at, finished_at, view_at
)
SELECT
    'default', current_date - n, 'date', 'breaks', 1000, 950, 0, 50, 0, 0, '[]',
    '{"matched": {"matched": 950}, "missing_in_ledger": {"breaks": 50}}',
    '{"currencies": [], "ropo_invoices": 1000, "ledger_rows": 950, "missing_in_ledger": 50, "missing_in_ropo": 0,
      "missing_at_ropo": 0, "extra_rows": 0, "population": 1000}',
    '[]', 'v1', now(), now() - n * interval '1 day', now(), now() - n * interval '1 day'
FROM generate_series(1, 60) AS n;

INSERT INTO ropo.reconciliation_item (
    reconciliation_id, invoice_key, profile, billnum, jobid, category, reason, grace_from, event_count, ledger_row_count,
    currency, ropo_paid, ledger_paid
)
SELECT
    reconciliation_id, 'b:' || n, 'default', n, 'J' || n,
    CASE WHEN n % 20 = 0 THEN 'missing_in_ledger' ELSE 'matched' END, CASE WHEN n % 20 = 0 THEN 'no_row' END,
    CASE WHEN n % 20 = 0 THEN now() END, 5, 1, 'EUR', 1, 1
FROM ropo.reconciliation
CROSS JOIN generate_series(1, 1000) AS n;

INSERT INTO ropo.break_policy VALUES ('default', 'Europe/Helsinki', 100, 1000, 3, 10);
INSERT INTO ropo.reconciliation_break (
    profile, invoice_key, billnum, jobid, category, reason, state, business_date, currency, amount, evidence, first_seen,
    last_seen, times_seen, first_reconciliation_id, last_reconciliation_id, resolved_at
)
SELECT
    'default', 'b:' || n, n, 'J' || n, 'missing_in_ledger', 'no_row', CASE WHEN n % 20 = 0 THEN 'open' ELSE 'resolved' END,
    current_date - (n % 60), 'EUR', n, '{}', now(), now(), 1, 1, 1, CASE WHEN n % 20 <> 0 THEN now() END
FROM generate_series(1, 10000) AS n;
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, evidence, reconciliation_id)
SELECT break_id, 'reconciliation', 'opened', '{}', 1 FROM ropo.reconciliation_break;
ANALYZE;
