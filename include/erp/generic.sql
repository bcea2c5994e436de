-- The contract between an ERP and the reconciliation: one SELECT, these twelve columns, one row an invoice.
--
-- An ERP team creates a view `ropo_ledger` with these columns, or copies this file and writes its own SELECT
-- (`ledger.query` in profiles.yaml). Only invoices that were sent, or are to be sent, through this Ropo customer number.
-- The program wraps the SELECT and filters it by invoice number, jobid, sent_at and changed_at: it needs no WHERE for that.
--
--   billnum          text         not null  the invoice number in the sender's books; of blanks around it spaces alone do not count
--   jobid            text                   Ropo's id of the invoice, if the ERP stores it; of several (sent again) the newest
--   status           text         not null  the ERP's own word; the status map's `ledger` section says what it means
--   total            numeric      not null  the invoice's amount, in the invoice's currency, as all amounts are
--   paid             numeric      not null  money received, cash discounts not counted
--   discount         numeric                cash discounts granted; null: the ERP keeps none apart (see below)
--   credited         numeric                covered by credit notes; null: nothing
--   open             numeric                what is still to be paid, below zero where overpaid; null: what the others leave
--   currency         text                   ISO 4217; null: the profile's
--   sent_at          timestamptz            when it went to Ropo; null (no day of 1970) until sent
--   changed_at       timestamptz            last change of this row, payments included; null: not known
--   payments_by_ropo boolean                false: Ropo's print service, the debtor pays the sender's own account; null: true.
--                                           Money that Ropo has of such an invoice all the same is compared
--
-- Types: varchar and char are taken for text; integer, bigint and smallint for numeric; timestamp without time zone and
-- date for timestamptz, read in the profile's time zone (the hour that a clock shows twice in autumn is its second one).
-- Not money (it follows a locale and names no currency), not float (it does not hold cents exactly). A column that the
-- ERP lacks is written with its type: NULL::numeric AS discount.
--
-- Where the status means neither a payment nor an end, the amounts tell how far it is paid. They tell that it ended as
-- `credited`, too: where Ropo has spoken of it, credit notes cover the total, nothing was paid and nothing is open; and
-- where Ropo calls it credited, and a credit note left nothing open. What was credited need not be paid: payments that reach
-- total - credited mean paid on both sides, unless Ropo goes on collecting.
--
-- total = paid + discount + credited + open must hold, else the invoice is `ledger_inconsistent`; a total of zero or less
-- is not checked. Where discount is null, Ropo's discount may stand in for it, and discounts are not compared.
--
-- A row that is gone, or has another number, is a difference: leave drafts out that are to get their number yet. Where
-- numbers are used again, let rows carry their jobid, or leave old ones out: a number alone leads to each row that has it.
--
-- billnum, jobid and status of at most 200 characters, currency of at most 10: a longer one stops the comparison, which
-- names its row.
--
-- For speed the ERP's tables want indexes that serve btrim(jobid), btrim(billnum), sent_at and changed_at.
SELECT
    billnum,
    jobid,
    status,
    total,
    paid,
    discount,
    credited,
    open,
    currency,
    sent_at,
    changed_at,
    payments_by_ropo
FROM ropo_ledger
