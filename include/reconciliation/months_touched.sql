-- Which signed periods are touched where breaks are opened: those that they date from, those whose newest sign-off rests on
-- an accepted break of the same invoice, be it this one or one of another category or name, and those of which a date shows
-- the very difference that is opened again: it was settled when they were signed. A part of the statements that flag them and
-- that say so before; these have the breaks as `opened`, each by an id of theirs (`opening`), and the former names of their
-- invoices as `known_as`.
signed AS (
    SELECT DISTINCT ON (period)
        sign_off_id, period, (period + interval '1 month')::date AS next_period, signed_by, countersigned_by, evidence
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
), of_invoice AS MATERIALIZED (
    SELECT opened.opening, other.break_id
    FROM opened
    JOIN ropo.reconciliation_break AS other
        ON other.profile = %(profile)s AND other.invoice_key = opened.invoice_key
    UNION
    SELECT opened.opening, other.break_id
    FROM opened
    JOIN ropo.reconciliation_break AS other ON other.profile = %(profile)s AND other.jobid = opened.jobid
    UNION
    SELECT opened.opening, other.break_id
    FROM opened
    JOIN known_as
        ON known_as.invoice_key = opened.invoice_key
        AND COALESCE(known_as.reconciliation_id = opened.reconciliation_id, true)
    JOIN ropo.reconciliation_break AS other ON other.profile = %(profile)s AND other.invoice_key = known_as.former_key
    UNION
    -- By a name of long ago, by which no reconciliation of now knows it.
    SELECT opened.opening, other.break_id
    FROM opened
    JOIN ropo.reconciliation_break AS other ON other.profile = %(profile)s AND other.renamed_to = opened.invoice_key
), touched AS (
    SELECT signed.sign_off_id, opened.opening
    FROM opened
    JOIN signed ON opened.business_date >= signed.period AND opened.business_date < signed.next_period
    UNION
    SELECT signed.sign_off_id, of_invoice.opening
    FROM signed
    CROSS JOIN jsonb_array_elements_text(signed.evidence -> 'breaks') AS rested_on (break_id)
    JOIN of_invoice ON of_invoice.break_id = rested_on.break_id::bigint
    UNION
    SELECT signed.sign_off_id, opened.opening
    FROM opened
    JOIN ropo.reconciliation_item AS item ON item.profile = %(profile)s AND item.invoice_key = opened.invoice_key
    JOIN ropo.reconciled_date AS newest
        ON newest.profile = %(profile)s AND newest.scope = 'date' AND newest.reconciliation_id = item.reconciliation_id
    JOIN signed ON newest.business_date >= signed.period AND newest.business_date < signed.next_period
    WHERE opened.kind = 'reopened' AND item.category = opened.category AND item.pending_until IS NULL
)
