-- Invoices 1 to `invoices`, paid on both sides: `day` of them on 2026-04-01, with all their five events that day; the
-- others on other days around it, with one event each.
INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, paydate, amount, raw,
    source, first_poll_id, first_seen_at, content_poll_id, content_sha256
)
SELECT
    'default',
    'P' || (invoice * 5 + kind),
    (3000000 + invoice)::text,
    (20000000 + invoice)::text,
    'payment',
    moment,
    '', 'Maksettu', '1', moment::date,
    CASE WHEN invoice <= %(day)s THEN 2 ELSE 10 END,
    '{"statusid": "C1", "statusref": "Maksettu"}',
    'drain', 1, date_trunc('minute', moment) AT TIME ZONE 'Europe/Helsinki' + interval '15 minutes', 1, '\x00'
FROM (
    SELECT
        invoice, kind,
        CASE
            WHEN invoice <= %(day)s THEN timestamp '2026-04-01 08:00:00' + invoice * interval '1 second'
            WHEN invoice %% 2 = 0 THEN timestamp '2026-03-31 08:00:00' - invoice %% 1000 * interval '1 day'
            ELSE timestamp '2026-04-02 08:00:00' + invoice %% 1000 * interval '1 day'
        END AS moment
    FROM generate_series(1, %(invoices)s::bigint) AS invoice
    CROSS JOIN generate_series(1, 5) AS kind
    WHERE kind = 1 OR invoice <= %(day)s
) AS made
ORDER BY made.moment;
SELECT ropo.note_days();

CREATE TABLE ropo_ledger AS
SELECT
    (20000000 + invoice)::text AS billnum,
    (3000000 + invoice)::text AS jobid,
    'paid'::text AS status,
    10::numeric AS total,
    10::numeric AS paid,
    0::numeric AS discount,
    0::numeric AS credited,
    0::numeric AS open,
    'EUR'::text AS currency,
    timestamptz '2026-02-01 00:00:00+00' AS sent_at,
    timestamptz '2026-02-02 00:00:00+00' AS changed_at,
    true AS payments_by_ropo
FROM generate_series(1, %(invoices)s::bigint) AS invoice;
CREATE INDEX ON ropo_ledger (btrim(jobid));
CREATE INDEX ON ropo_ledger (btrim(billnum));
CREATE INDEX ON ropo_ledger (sent_at);
CREATE INDEX ON ropo_ledger (changed_at);
