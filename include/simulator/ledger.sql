-- A demo ERP's tables, ordinary on purpose: the number is not unique, the open balance is stored, payments stand beside.
CREATE SCHEMA erp;

CREATE TABLE erp.invoice (
    invoice_id    bigint PRIMARY KEY,
    number        text NOT NULL,
    ropo_job_id   text,
    customer      text NOT NULL,
    status        text NOT NULL,
    total         numeric(14, 2) NOT NULL,
    credited      numeric(14, 2) NOT NULL,
    open_balance  numeric(14, 2) NOT NULL,
    currency      text NOT NULL,
    issued_on     date NOT NULL,
    due_on        date NOT NULL,
    sent_at       timestamptz,
    changed_at    timestamptz NOT NULL,
    print_service boolean NOT NULL
);
CREATE INDEX invoice_number ON erp.invoice (number);
CREATE INDEX invoice_ropo_job_id ON erp.invoice (ropo_job_id);
CREATE INDEX invoice_sent_at ON erp.invoice (sent_at);
CREATE INDEX invoice_changed_at ON erp.invoice (changed_at);

CREATE TABLE erp.payment (
    invoice_id bigint NOT NULL,
    line       integer NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('payment', 'discount')),
    amount     numeric(14, 2) NOT NULL,
    booked_at  timestamptz NOT NULL,
    PRIMARY KEY (invoice_id, line)
);

-- The contract of include/erp/generic.sql.
CREATE VIEW ropo_ledger AS
SELECT
    invoice.number AS billnum,
    invoice.ropo_job_id AS jobid,
    invoice.status,
    invoice.total,
    coalesce(booked.paid, 0) AS paid,
    coalesce(booked.discount, 0) AS discount,
    invoice.credited,
    invoice.open_balance AS open,
    invoice.currency,
    invoice.sent_at,
    invoice.changed_at,
    NOT invoice.print_service AS payments_by_ropo
FROM erp.invoice
LEFT JOIN LATERAL (
    SELECT
        sum(payment.amount) FILTER (WHERE payment.kind = 'payment') AS paid,
        sum(payment.amount) FILTER (WHERE payment.kind = 'discount') AS discount
    FROM erp.payment
    WHERE payment.invoice_id = invoice.invoice_id
) AS booked ON true;
