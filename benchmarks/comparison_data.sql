-- Invoices 1 to `invoices` with five events each (one in ten is not paid yet: three), on both sides; one in five hundred
-- differs in the ledger. Indexes are made afterwards, as a restore would.
INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, paydate, amount, raw,
    source, first_poll_id, first_seen_at, content_poll_id, content_sha256
)
SELECT
    'default',
    CASE WHEN kind = 4 THEN 'P' ELSE 'C' END || (invoice * 5 + kind),
    (3000000 + invoice)::text,
    (20000000 + invoice)::text,
    CASE WHEN kind = 4 THEN 'payment' ELSE 'comment' END,
    moment,
    CASE kind WHEN 1 THEN '110' WHEN 2 THEN '98' WHEN 3 THEN '120' WHEN 4 THEN '' ELSE '101' END,
    CASE kind WHEN 1 THEN 'Laskutettu' WHEN 2 THEN 'Viesti' WHEN 3 THEN 'Erääntynyt' ELSE 'Maksettu' END,
    CASE WHEN kind = 4 THEN '1' ELSE 'Asiakas soitti laskusta' END,
    CASE WHEN kind = 4 THEN moment::date END,
    CASE WHEN kind = 4 THEN invoice %% 5000 + 0.50 END,
    '{"jobid": 3000000, "statusid": "C1", "statusref": "Viesti", "statustext": "Asiakas soitti laskusta"}',
    'drain', 1, moment AT TIME ZONE 'Europe/Helsinki', 1, '\x00'
FROM (
    SELECT
        invoice, kind,
        date '2026-01-01' + (invoice * 200 / %(invoices)s)::integer
            + CASE kind WHEN 1 THEN interval '8 hours' WHEN 2 THEN interval '3 days 9 hours'
                WHEN 3 THEN interval '14 days 6 hours' WHEN 4 THEN interval '20 days' ELSE interval '20 days 10 hours' END AS moment
    FROM generate_series(1, %(invoices)s::bigint) AS invoice
    CROSS JOIN generate_series(1, 5) AS kind
    WHERE kind <= 3 OR invoice %% 10 <> 0
) AS made
ORDER BY moment;
SELECT ropo.note_days();

CREATE TABLE ropo_ledger AS
SELECT
    (20000000 + invoice)::text AS billnum,
    (3000000 + invoice)::text AS jobid,
    CASE WHEN is_paid THEN 'paid' ELSE 'overdue' END AS status,
    invoice %% 5000 + 0.50 AS total,
    CASE WHEN is_paid THEN invoice %% 5000 + 0.50 - CASE WHEN invoice %% 1000 = 13 THEN 0.10 ELSE 0 END ELSE 0 END AS paid,
    0::numeric AS discount,
    0::numeric AS credited,
    CASE WHEN is_paid THEN CASE WHEN invoice %% 1000 = 13 THEN 0.10 ELSE 0 END ELSE invoice %% 5000 + 0.50 END AS open,
    'EUR'::text AS currency,
    (date '2026-01-01' + (invoice * 200 / %(invoices)s)::integer)::timestamp AT TIME ZONE 'Europe/Helsinki' AS sent_at,
    (date '2026-01-21' + (invoice * 200 / %(invoices)s)::integer)::timestamp AT TIME ZONE 'Europe/Helsinki' AS changed_at,
    true AS payments_by_ropo
FROM (
    SELECT invoice, invoice %% 10 <> 0 AND invoice %% 1000 <> 7 AS is_paid
    FROM generate_series(1, %(invoices)s::bigint) AS invoice
) AS made;
CREATE INDEX ON ropo_ledger (btrim(jobid));
CREATE INDEX ON ropo_ledger (btrim(billnum));
CREATE INDEX ON ropo_ledger (sent_at);
CREATE INDEX ON ropo_ledger (changed_at);
