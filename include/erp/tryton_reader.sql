-- The rights that tryton.sql needs, and no other, for a role `tryton_reader` that exists. Run by the owner of Tryton's
-- tables, in Tryton's database: CREATE ROLE tryton_reader LOGIN PASSWORD '…'; first, then psql -f this file.
GRANT USAGE ON SCHEMA public TO tryton_reader;
GRANT SELECT ON
    account_invoice,
    account_invoice_line,
    account_journal,
    account_move,
    account_move_line,
    account_move_reconciliation,
    "account_invoice-account_move_line",
    "account_invoice-additional-account_move",
    company_company,
    currency_currency
TO tryton_reader;
