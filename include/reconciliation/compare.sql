-- One row an invoice of the population, with its one category. There is no ELSE: a case that no rule names fails.
-- A payment and a stage are places in PAYMENTS and STAGES of include/config/status_map.py: a payment of 0 is unpaid, 1 partly
-- paid, 2 paid; a stage from 2 on is one in which the debtor is reminded, or the debt collected.
-- OFFSET 0 keeps each step a step: else PostgreSQL writes its expressions out wherever a later one names them, and works
-- out the same sums many times over.
CREATE TEMP TABLE comparison ON COMMIT DROP AS
WITH side AS (
    SELECT
        population.invoice_key,
        lost.lost_jobid,
        lost.lost_billnum,
        ropo.*,
        ledger.status AS word, ledger.jobid AS ledger_jobid, ledger.billnum AS ledger_billnum, ledger.total,
        ledger.paid AS ledger_paid, ledger.discount AS ledger_discount, ledger.credited, ledger.open, ledger.payable,
        ledger.sent_at, ledger.currency, ledger.is_mapped, ledger.payment_word, ledger.stage AS ledger_stage,
        ledger.part_end AS end_word, ledger.repeats_jobid,
        COALESCE(ropo.event_count, 0) AS events,
        COALESCE(ledger.row_count, 0) AS rows,
        COALESCE(ledger.key_count, 0) AS keys,
        apart.stage_seq AS apart_seq,
        population.invoice_key IN (SELECT invoice_key FROM ambiguous_key) AS is_ambiguous,
        population.invoice_key IN (SELECT invoice_key FROM resolved WHERE is_quarantined) AS is_quarantined,
        -- A credit note, or a total of zero, is compared by existence and end alone.
        COALESCE(ledger.total > 0, true) AS is_charge,
        -- Of the print service Ropo One sees no payment: where it has seen money of one all the same, that is compared.
        COALESCE(
            ledger.total > 0 AND (
                ledger.payments_by_ropo OR COALESCE(ropo.paid, 0) <> 0 OR COALESCE(ropo.discount, 0) <> 0
            ),
            true
        ) AS compares_payments,
        -- Of what nothing knows now: whether anything ever did. A row in quarantine that somebody dismissed names what it likes.
        CASE WHEN ropo.event_count IS NULL AND ledger.row_count IS NULL THEN EXISTS (
            SELECT
            FROM ropo.reconciliation_item AS known
            WHERE known.profile = %(profile)s AND known.invoice_key = population.invoice_key
                AND (known.event_count > 0 OR known.ledger_row_count > 0)
        ) END AS was_known,
        -- A null discount: the ERP keeps none apart. What the sums then lack may be Ropo's discount, and nothing else.
        COALESCE(ledger.discount, CASE
            WHEN ropo.discount > 0 AND (
                ledger.open IS NULL
                OR ledger.total = ledger.paid + ropo.discount + COALESCE(ledger.credited, 0) + ledger.open
            )
            THEN ropo.discount
        END, 0) AS granted
    FROM population
    LEFT JOIN (
        SELECT
            invoice_key AS ropo_key, event_count, paid, discount, has_negative, lacks_amount, payment_code, stage, part_end,
            stage_seq, payment_seq, unmapped_seq, unmapped_money_seq, meaning_seq, first_date, money_date, payment_date,
            stage_date, end_date, unmapped_date
        FROM ropo_side
    ) AS ropo ON ropo.ropo_key = population.invoice_key
    LEFT JOIN ledger_side AS ledger ON ledger.invoice_key = population.invoice_key AND ledger.place = 1
    LEFT JOIN (
        SELECT invoice_key, max(stage_seq) AS stage_seq FROM unpaid_job WHERE stage >= 2 GROUP BY invoice_key
    ) AS apart ON apart.invoice_key = population.invoice_key
    LEFT JOIN (
        SELECT invoice_key, max(lost_jobid) AS lost_jobid, max(lost_billnum) AS lost_billnum
        FROM resolved
        GROUP BY invoice_key
    ) AS lost ON lost.invoice_key = population.invoice_key
    WHERE NOT population.is_out_of_scope
    OFFSET 0
), summed AS (
    SELECT
        side.*,
        COALESCE(side.open, side.total - side.ledger_paid - side.granted - COALESCE(side.credited, 0)) AS still_open,
        CASE
            -- What a credit note took off need not be paid.
            WHEN paid + discount > 0 AND total > 0 AND paid + discount >= payable THEN 2
            WHEN paid + discount > 0 THEN 1
            ELSE 0
        END AS sums_say,
        -- Since the newest payment it has been reminded of or collected on: by a job that nobody paid, or because Ropo One
        -- was not told of a credit note. Then it is not paid there, whatever the sums say.
        COALESCE(apart_seq > payment_seq, false) OR COALESCE(
            stage >= 2 AND stage_seq > payment_seq AND paid + discount < total
                AND (has_negative OR COALESCE(payment_code, 0) < 2),
            false
        ) AS is_collected
    FROM side
    OFFSET 0
), stated AS (
    SELECT
        summed.*,
        LEAST(
            CASE WHEN COALESCE(has_negative, false) THEN sums_say ELSE GREATEST(COALESCE(payment_code, 0), sums_say) END,
            CASE WHEN is_collected THEN 1 ELSE 2 END
        ) AS ropo_payment,
        COALESCE(payment_word, CASE
            -- What is open shows a discount that the ERP keeps nowhere else.
            WHEN ledger_paid + CASE WHEN open IS NULL THEN COALESCE(ledger_discount, 0) ELSE granted END <= 0 THEN 0
            WHEN still_open <= 0 THEN 2
            ELSE 1
        END) AS ledger_payment,
        -- Where the word leaves payment and end open, the amounts tell both: what was credited in full, and never paid, is
        -- owed no more. Of what Ropo One has not spoken of it need not hear that.
        COALESCE(end_word, CASE
            WHEN events > 0 AND is_mapped AND payment_word IS NULL AND total > 0 AND credited >= total AND still_open <= 0
                AND ledger_paid + COALESCE(ledger_discount, 0) <= 0
                THEN 'credited'
            -- Paid in part, and what was left is credited on both sides.
            WHEN part_end = 'credited' AND is_mapped AND total > 0 AND credited > 0 AND still_open <= 0 THEN 'credited'
        END) AS ledger_end
    FROM summed
    OFFSET 0
), judged AS (
    SELECT
        stated.*,
        is_quarantined OR COALESCE(lacks_amount, false) AS is_unparseable,
        COALESCE(unmapped_seq > COALESCE(meaning_seq, 0), false) AS has_unknown_code,
        -- A sum is never superseded by a newer code: an unmapped payment leaves it unknown, whatever its age.
        unmapped_money_seq IS NOT NULL AND compares_payments AS has_unknown_money,
        is_charge AND (
            (open IS NOT NULL AND total <> ledger_paid + granted + COALESCE(credited, 0) + open)
            OR (payment_word = 2 AND still_open > 0)
        ) AS is_inconsistent,
        compares_payments AND part_end IS NULL AND ropo_payment > ledger_payment AS pays_further,
        compares_payments AND part_end IS NULL AND ropo_payment < ledger_payment AS pays_less_far,
        -- Whose payments Ropo never sees is settled when the ledger says so.
        is_charge AND part_end IS NULL AND stage IS NOT NULL AND ledger_stage IS NOT NULL
            AND NOT ((ropo_payment = 2 OR NOT compares_payments) AND ledger_payment = 2) AS compares_stages,
        compares_payments
            AND abs(COALESCE(paid, 0) - ledger_paid) > %(tolerance)s AS paid_differs,
        COALESCE(has_negative AND paid + discount < ledger_paid + COALESCE(ledger_discount, 0), false) AS is_taken_back,
        is_collected AND paid = ledger_paid AND discount = granted AS is_still_collected,
        -- Where the ERP keeps no discounts there is nothing to compare them with.
        compares_payments AND ledger_discount IS NOT NULL
            AND abs(COALESCE(discount, 0) - ledger_discount) > %(tolerance)s AS discount_differs,
        -- Money that only Ropo could have brought; a credit note's settlement is not.
        compares_payments AND (ledger_paid <> 0 OR COALESCE(ledger_discount, 0) <> 0 OR COALESCE(payment_word, 0) > 0)
            AS shows_payment,
        %(first_event_days)s > 0 AND COALESCE(sent_at + make_interval(days => %(first_event_days)s) <= %(now)s, false)
            AS is_overdue
    FROM stated
    OFFSET 0
), categorised AS (
    SELECT
        judged.*,
        CASE
            WHEN is_unparseable THEN 'unparseable'
            WHEN rows > keys THEN 'duplicate_in_ledger'
            WHEN is_ambiguous OR rows > 1 THEN 'ambiguous_match'
            WHEN rows = 0 AND (events > 0 OR was_known) THEN 'missing_in_ledger'
            WHEN rows = 0 THEN 'matched'
            WHEN events = 0 AND (shows_payment OR ledger_end IS NOT NULL OR is_overdue) THEN 'missing_in_ropo'
            WHEN has_unknown_code OR has_unknown_money OR NOT is_mapped THEN 'unknown_status'
            WHEN is_inconsistent THEN 'ledger_inconsistent'
            WHEN part_end IS DISTINCT FROM ledger_end THEN 'status_conflict'
            WHEN pays_further OR (NOT pays_less_far AND compares_stages AND stage > ledger_stage) THEN 'ledger_behind'
            WHEN pays_less_far OR (compares_stages AND stage < ledger_stage) THEN 'ledger_ahead'
            WHEN paid_differs OR discount_differs THEN 'amount_mismatch'
            WHEN part_end IS NOT DISTINCT FROM ledger_end AND NOT pays_further AND NOT pays_less_far
                AND NOT paid_differs AND NOT discount_differs
                THEN 'matched'
        END AS category
    FROM judged
    OFFSET 0
)
SELECT
    invoice_key,
    category,
    CASE category
        WHEN 'unparseable' THEN CASE WHEN is_quarantined THEN 'row_in_quarantine' ELSE 'payment_without_amount' END
        WHEN 'duplicate_in_ledger' THEN CASE WHEN repeats_jobid THEN 'jobid_twice' ELSE 'billnum_twice' END
        WHEN 'ambiguous_match' THEN
            CASE WHEN rows > 1 THEN 'several_rows' WHEN rows = 1 THEN 'keys_lead_apart' ELSE 'row_of_another' END
        WHEN 'missing_in_ledger' THEN CASE WHEN events > 0 THEN 'no_row' ELSE 'row_gone' END
        WHEN 'missing_in_ropo' THEN CASE
            WHEN shows_payment AND sent_at IS NULL THEN 'paid_before_sending'
            WHEN shows_payment THEN 'payment'
            WHEN ledger_end IS NOT NULL THEN CASE WHEN sent_at IS NULL THEN 'ended_before_sending' ELSE 'end' END
            ELSE 'first_event_overdue'
        END
        WHEN 'unknown_status' THEN
            CASE WHEN has_unknown_money THEN 'payment_type' WHEN has_unknown_code THEN 'code' ELSE 'ledger_word' END
        WHEN 'ledger_inconsistent' THEN
            CASE WHEN payment_word = 2 AND still_open > 0 THEN 'paid_but_open' ELSE 'amounts_do_not_add_up' END
        WHEN 'status_conflict' THEN CASE
            WHEN part_end IS NOT NULL AND ledger_end IS NOT NULL THEN 'ends_differ'
            WHEN part_end IS NOT NULL AND ledger_payment = 2 THEN 'ended_in_ropo_paid_in_ledger'
            WHEN part_end IS NOT NULL THEN 'ended_in_ropo'
            WHEN ropo_payment = 2 THEN 'ended_in_ledger_paid_in_ropo'
            ELSE 'ended_in_ledger'
        END
        WHEN 'ledger_behind' THEN CASE
            WHEN NOT pays_further THEN 'stage'
            WHEN paid_differs AND COALESCE(paid, 0) > ledger_paid THEN 'payment'
            WHEN discount - COALESCE(ledger_discount, 0) > %(tolerance)s THEN 'discount'
            -- The ledger's amounts are as far as Ropo One, and its word is not.
            WHEN payment_word IS NOT NULL AND (still_open <= 0 OR ropo_payment = 1 AND ledger_paid + granted > 0)
                THEN 'status_alone'
            ELSE 'closed_in_ropo'
        END
        WHEN 'ledger_ahead' THEN CASE
            WHEN NOT pays_less_far THEN 'stage'
            WHEN is_still_collected THEN 'still_collected'
            WHEN is_taken_back THEN 'taken_back'
            WHEN paid_differs AND ledger_paid > COALESCE(paid, 0) THEN 'payment'
            WHEN ledger_discount - COALESCE(discount, 0) > %(tolerance)s THEN 'discount'
            WHEN is_collected THEN 'still_collected'
            -- It calls partly paid what nobody paid.
            WHEN payment_word = 1 AND ledger_paid + granted <= 0 THEN 'status_alone'
            ELSE 'payment'
        END
        WHEN 'amount_mismatch' THEN CASE
            WHEN paid_differs AND is_taken_back THEN 'taken_back'
            WHEN paid_differs AND paid > ledger_paid AND paid + discount > payable THEN 'overpaid_in_ropo'
            WHEN paid_differs AND ledger_paid > paid AND ledger_paid + granted > payable THEN 'overpaid_in_ledger'
            WHEN paid_differs AND paid + discount = ledger_paid + COALESCE(ledger_discount, 0) THEN 'booked_otherwise'
            WHEN paid_differs AND discount_differs THEN 'payments_and_discounts'
            WHEN paid_differs THEN 'payments'
            ELSE 'discounts'
        END
        WHEN 'matched' THEN CASE
            WHEN rows = 0 THEN 'never_known'
            WHEN events = 0 THEN 'never_spoken_of'
            WHEN NOT is_charge THEN 'credit_note'
            WHEN NOT compares_payments THEN 'print_service'
        END
    END AS reason,
    NULL::text AS hint,
    NULL::text AS further,
    -- The business date of the event that this difference is about; null where the ledger made it, or nobody can say.
    CASE category
        WHEN 'missing_in_ledger' THEN first_date
        WHEN 'unknown_status' THEN CASE WHEN has_unknown_code OR has_unknown_money THEN unmapped_date END
        WHEN 'status_conflict' THEN end_date
        WHEN 'ledger_behind' THEN CASE WHEN pays_further THEN payment_date ELSE stage_date END
        WHEN 'ledger_ahead' THEN CASE
            WHEN pays_less_far AND is_still_collected THEN stage_date
            WHEN pays_less_far AND is_taken_back THEN money_date
        END
        -- Where the ledger has more than Ropo One, and Ropo One took nothing back, the ledger made it.
        WHEN 'amount_mismatch' THEN CASE
            WHEN is_taken_back OR paid + discount >= ledger_paid + COALESCE(ledger_discount, 0) THEN money_date
        END
    END AS caused_on,
    NULL::timestamptz AS grace_from,
    NULL::timestamptz AS grace_until,
    NULL::timestamptz AS pending_until,
    false AS is_accepted,
    CASE
        WHEN invoice_key LIKE 'b:%%' THEN substr(invoice_key, 3)
        ELSE COALESCE(of_job.billnum, ledger_billnum, lost_billnum)
    END AS billnum,
    COALESCE(of_job.jobid, ledger_jobid, lost_jobid) AS jobid,
    events::integer AS event_count,
    rows::integer AS ledger_row_count,
    COALESCE(currency, %(currency)s) AS currency,
    CASE WHEN events > 0 THEN paid END AS ropo_paid,
    CASE WHEN events > 0 THEN discount END AS ropo_discount,
    CASE WHEN events > 0 THEN ropo_payment END AS ropo_payment,
    CASE WHEN events > 0 THEN stage END AS ropo_stage,
    CASE WHEN events > 0 THEN part_end END AS ropo_end,
    ropo.plain_amount(total) AS ledger_total,
    ropo.plain_amount(ledger_paid) AS ledger_paid,
    ropo.plain_amount(ledger_discount) AS ledger_discount,
    ropo.plain_amount(credited) AS ledger_credited,
    ropo.plain_amount(open) AS ledger_open,
    word AS ledger_word,
    CASE WHEN is_mapped THEN ledger_payment END AS ledger_payment,
    ledger_stage,
    ledger_end
FROM categorised
LEFT JOIN (
    SELECT invoice_key AS job_key, jobid, billnum
    FROM job
    WHERE is_newest
) AS of_job ON of_job.job_key = categorised.invoice_key;

-- What is plainly open (set_aside_open.sql), as the rules tell it.
INSERT INTO population (invoice_key, is_out_of_scope)
SELECT invoice_key, false FROM plainly_open;
INSERT INTO comparison (
    invoice_key, category, is_accepted, billnum, jobid, event_count, ledger_row_count, currency, ropo_paid, ropo_discount,
    ropo_payment, ropo_stage, ledger_total, ledger_paid, ledger_discount, ledger_credited, ledger_open, ledger_word,
    ledger_payment, ledger_stage
)
SELECT
    invoice_key, 'matched', false, billnum, jobid, event_count, 1, COALESCE(currency, %(currency)s), 0, 0,
    0, stage, ropo.plain_amount(total), ropo.plain_amount(paid), ropo.plain_amount(discount), ropo.plain_amount(credited),
    ropo.plain_amount(open), status, 0, ledger_stage
FROM plainly_open;

ALTER TABLE comparison ALTER COLUMN category SET NOT NULL, ADD PRIMARY KEY (invoice_key);
ANALYZE comparison;

-- Ropo One names no currency. That of an invoice which the ledger lacks is the one that it had there when it was compared.
UPDATE comparison
SET currency = known.currency
FROM comparison AS lacking
CROSS JOIN LATERAL (
    SELECT held.currency
    FROM (
        (
            SELECT item.reconciliation_id, item.currency
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.invoice_key = lacking.invoice_key AND item.ledger_row_count > 0
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
        UNION ALL
        (
            -- Its name may have been another one when less was known of it.
            SELECT item.reconciliation_id, item.currency
            FROM ropo.reconciliation_item AS item
            WHERE item.profile = %(profile)s AND item.jobid = lacking.jobid AND item.ledger_row_count > 0
            ORDER BY item.reconciliation_id DESC
            LIMIT 1
        )
    ) AS held
    ORDER BY held.reconciliation_id DESC
    LIMIT 1
) AS known
WHERE lacking.ledger_row_count = 0 AND known.currency <> lacking.currency AND comparison.invoice_key = lacking.invoice_key
