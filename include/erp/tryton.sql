-- Tryton (8.2, modules account and account_invoice): its customer invoices in the columns of generic.sql.
--
-- Conventions. `reference` of a customer invoice holds Ropo's jobid; where an invoice has none it is found by its number.
-- An invoice counts as sent on its invoice date. Every write-off (a journal of that type) counts as a cash discount; where
-- bad debts are written off too, narrow `is_discount` to the journal's code. With several companies in one database, one
-- of which sends through this Ropo customer number, add `AND invoice.company = …` to the last condition.
--
-- The status is Tryton's own word (posted, paid, cancelled), but `credited` where a credit note, and not money, has settled
-- the whole invoice: Tryton calls that paid, or cancelled where it was refunded. tryton_status_map.yaml says what the words
-- mean. Amounts come from the postings on the receivable account, in the invoice's currency, as Tryton counts what is to be
-- paid; they are not made to add up here.
--
-- It may be read with a role that has no other right than these (tryton_reader.sql grants them):
--   GRANT SELECT ON account_invoice, account_invoice_line, account_journal, account_move, account_move_line,
--       account_move_reconciliation, "account_invoice-account_move_line", "account_invoice-additional-account_move",
--       company_company, currency_currency TO tryton_reader;
SELECT
    invoice.number AS billnum,
    NULLIF(btrim(invoice.reference), '') AS jobid,
    CASE
        WHEN invoice.total_amount_cache > 0 AND (
            (invoice.state = 'paid' AND settled.credited >= invoice.total_amount_cache)
            OR (invoice.state = 'cancelled' AND settled.by_credit_note)
        ) THEN 'credited'
        ELSE invoice.state
    END AS status,
    invoice.total_amount_cache AS total,
    settled.paid + COALESCE(unsettled.paid, 0) AS paid,
    settled.discount + COALESCE(unsettled.discount, 0) AS discount,
    settled.credited + COALESCE(unsettled.credited, 0) AS credited,
    settled.open
        - COALESCE(unsettled.paid, 0) - COALESCE(unsettled.discount, 0) - COALESCE(unsettled.credited, 0) AS open,
    currency.code AS currency,
    invoice.invoice_date AS sent_at,
    -- Tryton keeps its times in UTC. It writes the invoice on each payment, reconciliation and credit.
    COALESCE(invoice.write_date, invoice.create_date) AT TIME ZONE 'UTC' AS changed_at,
    NULL::boolean AS payments_by_ropo
FROM account_invoice AS invoice
JOIN currency_currency AS currency ON currency.id = invoice.currency
JOIN company_company AS company ON company.id = invoice.company
LEFT JOIN (
    SELECT link.invoice, array_agg(link.move) AS moves
    FROM "account_invoice-additional-account_move" AS link
    GROUP BY link.invoice
) AS additional ON additional.invoice = invoice.id
-- Part payments, overpayments and credit notes that are booked for the invoice and reconciled with nothing yet.
LEFT JOIN (
    SELECT
        payment.invoice,
        -sum(payment.amount) FILTER (WHERE NOT is_credit AND NOT is_discount) AS paid,
        -sum(payment.amount) FILTER (WHERE is_discount) AS discount,
        -sum(payment.amount) FILTER (WHERE is_credit) AS credited
    FROM (
        SELECT
            paid_for.id AS invoice,
            journal.type = 'write-off' AS is_discount,
            COALESCE(source.move = move.id, false) AS is_credit,
            CASE
                WHEN line.second_currency = paid_for.currency THEN line.amount_second_currency
                WHEN paid_for.currency = company.currency THEN line.debit - line.credit
                -- Money in the company's currency for an invoice in another: at the rate at which it was invoiced.
                ELSE round((line.debit - line.credit) * owed.rate, currency.digits)
            END AS amount
        FROM account_move_line AS line
        JOIN account_move AS move ON move.id = line.move
        JOIN account_journal AS journal ON journal.id = move.journal
        LEFT JOIN "account_invoice-account_move_line" AS link ON link.line = line.id
        -- What a posting was made for: an invoice's own posting names that invoice, so does a payment.
        LEFT JOIN account_invoice AS source
            ON source.id = CASE
                WHEN move.origin LIKE 'account.invoice,%' THEN split_part(move.origin, ',', 2)::integer
            END
        JOIN account_invoice AS paid_for
            ON paid_for.id = COALESCE(link.invoice, CASE WHEN source.move <> move.id THEN source.id END)
            AND paid_for.account = line.account
        JOIN company_company AS company ON company.id = paid_for.company
        JOIN currency_currency AS currency ON currency.id = paid_for.currency
        LEFT JOIN LATERAL (
            SELECT sum(own.amount_second_currency) / NULLIF(sum(own.debit - own.credit), 0) AS rate
            FROM account_move_line AS own
            WHERE own.move = paid_for.move AND own.account = paid_for.account
                AND paid_for.currency <> company.currency
        ) AS owed ON true
        WHERE line.reconciliation IS NULL
    ) AS payment
    GROUP BY payment.invoice
) AS unsettled ON unsettled.invoice = invoice.id
-- What the invoice's own postings on the receivable account come to, by what they are reconciled with.
CROSS JOIN LATERAL (
    WITH RECURSIVE debt AS (
        SELECT
            CASE
                WHEN line.second_currency = invoice.currency THEN line.amount_second_currency
                ELSE line.debit - line.credit
            END AS amount,
            line.debit - line.credit AS weight,
            line.reconciliation
        FROM account_move_line AS line
        WHERE line.move = ANY(invoice.move || additional.moves) AND line.account = invoice.account
        UNION ALL
        -- Grouped or delegated: what it was reconciled with took the debt over.
        SELECT debt.amount, debt.weight, heir.reconciliation
        FROM debt
        JOIN account_move_reconciliation AS reconciliation ON reconciliation.id = debt.reconciliation
        JOIN account_move_line AS heir ON heir.id = reconciliation.delegate_to
    ), part AS (
        SELECT
            debt.amount,
            debt.reconciliation,
            COALESCE(settling.credited, 0) AS credited,
            COALESCE(settling.discount, 0) AS discount,
            COALESCE(settling.by_credit_note, false) AS by_credit_note
        FROM (SELECT *, sum(weight) OVER (PARTITION BY reconciliation) AS own_weight FROM debt) AS debt
        LEFT JOIN account_move_reconciliation AS reconciliation ON reconciliation.id = debt.reconciliation
        -- The postings on the other side. One that settles several debts is shared among them by their amounts, but a
        -- credit note goes to the invoice that it credits. Money is what is left.
        LEFT JOIN LATERAL (
            SELECT
                sum(round(debt.amount * share.part, currency.digits)) FILTER (WHERE share.is_credit) AS credited,
                sum(round(debt.amount * share.part, currency.digits)) FILTER (WHERE share.is_discount) AS discount,
                bool_or(share.is_credit AND share.is_note) AS by_credit_note
            FROM (
                SELECT
                    source.move = move.id OR move.id = invoice.cancel_move AS is_credit,
                    source.move = move.id AS is_note,
                    journal.type = 'write-off' AS is_discount,
                    CASE
                        WHEN credited.invoice = invoice.id THEN (other.debit - other.credit) / -debt.own_weight
                        WHEN credited.is_settled_here THEN 0
                        ELSE (other.debit - other.credit) / -sum(other.debit - other.credit) FILTER (
                            WHERE (other.debit - other.credit) * debt.weight > 0
                        ) OVER ()
                    END AS part,
                    (other.debit - other.credit) * debt.weight < 0 AS is_opposite
                FROM account_move_line AS other
                JOIN account_move AS move ON move.id = other.move
                JOIN account_journal AS journal ON journal.id = move.journal
                LEFT JOIN account_invoice AS source
                    ON source.id = CASE
                        WHEN move.origin LIKE 'account.invoice,%' THEN split_part(move.origin, ',', 2)::integer
                    END
                LEFT JOIN LATERAL (
                    SELECT
                        min(credited.id) AS invoice,
                        bool_or(EXISTS (
                            SELECT
                            FROM account_move_line AS own
                            LEFT JOIN account_move_reconciliation AS first ON first.id = own.reconciliation
                            LEFT JOIN account_move_line AS heir ON heir.id = first.delegate_to
                            WHERE own.move = credited.move
                                AND debt.reconciliation IN (own.reconciliation, heir.reconciliation)
                        )) AS is_settled_here
                    FROM account_invoice_line AS note_line
                    JOIN account_invoice_line AS credited_line
                        ON credited_line.id = split_part(note_line.origin, ',', 2)::integer
                    JOIN account_invoice AS credited ON credited.id = credited_line.invoice
                    WHERE note_line.invoice = source.id AND source.move = move.id
                        AND note_line.origin LIKE 'account.invoice.line,%'
                ) AS credited ON true
                WHERE other.reconciliation = debt.reconciliation
            ) AS share
            WHERE share.is_opposite
        ) AS settling ON debt.reconciliation IS NOT NULL
        WHERE reconciliation.delegate_to IS NULL
    )
    SELECT
        COALESCE(sum(part.amount) FILTER (WHERE part.reconciliation IS NULL), 0) AS open,
        COALESCE(sum(part.credited), 0) AS credited,
        COALESCE(sum(part.discount), 0) AS discount,
        COALESCE(
            sum(part.amount - part.credited - part.discount) FILTER (WHERE part.reconciliation IS NOT NULL), 0
        ) AS paid,
        COALESCE(bool_or(part.by_credit_note), false) AS by_credit_note
    FROM part
) AS settled
-- Drafts have no number and are nowhere yet.
WHERE invoice.type = 'out' AND invoice.state IN ('posted', 'paid', 'cancelled') AND invoice.number IS NOT NULL
