-- A ledger of `invoices` unpaid invoices for each date from `first` on, sent on it; Ropo One never spoke of them.
CREATE TABLE ropo_ledger AS
SELECT
    (10000 * day + invoice)::text AS billnum,
    NULL::text AS jobid,
    'open'::text AS status,
    10::numeric AS total,
    0::numeric AS paid,
    0::numeric AS discount,
    0::numeric AS credited,
    10::numeric AS open,
    'EUR'::text AS currency,
    (%(first)s::date + day + time '12:00') AT TIME ZONE 'Europe/Helsinki' AS sent_at,
    (%(first)s::date + day + time '12:00') AT TIME ZONE 'Europe/Helsinki' AS changed_at,
    true AS payments_by_ropo
FROM generate_series(0, %(dates)s - 1) AS day
CROSS JOIN generate_series(1, %(invoices)s) AS invoice;
