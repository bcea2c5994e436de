-- Only what differs is written, so that a ledger moved on to a later moment disturbs no reader and bloats no table.
ANALYZE new_invoice;
ANALYZE new_payment;

DELETE FROM erp.invoice
WHERE NOT EXISTS (SELECT FROM new_invoice WHERE new_invoice.invoice_id = invoice.invoice_id);

DELETE FROM erp.payment
WHERE NOT EXISTS (
    SELECT FROM new_payment
    WHERE new_payment.invoice_id = payment.invoice_id AND new_payment.line = payment.line
);

INSERT INTO erp.invoice AS held
SELECT * FROM new_invoice
ON CONFLICT (invoice_id) DO UPDATE SET
    number = excluded.number,
    ropo_job_id = excluded.ropo_job_id,
    customer = excluded.customer,
    status = excluded.status,
    total = excluded.total,
    credited = excluded.credited,
    open_balance = excluded.open_balance,
    currency = excluded.currency,
    issued_on = excluded.issued_on,
    due_on = excluded.due_on,
    sent_at = excluded.sent_at,
    changed_at = excluded.changed_at,
    print_service = excluded.print_service
WHERE (held.*) IS DISTINCT FROM (excluded.*);

INSERT INTO erp.payment AS held
SELECT * FROM new_payment
ON CONFLICT (invoice_id, line) DO UPDATE SET
    kind = excluded.kind,
    amount = excluded.amount,
    booked_at = excluded.booked_at
WHERE (held.*) IS DISTINCT FROM (excluded.*);

ANALYZE erp.invoice;
ANALYZE erp.payment;
