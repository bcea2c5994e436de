-- Breaks that a signed period rests on as accepted, and that these reconciliations find mended, be it under another name of
-- the invoice. Where a date of the period showed the difference when it was signed, and is compared in these, flag_results.sql
-- tells it; a difference that a full comparison alone had found is told by none of them.
WITH signed AS (
    SELECT DISTINCT ON (period) sign_off_id, evidence
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
), rested_on AS (
    SELECT signed.sign_off_id, signed.evidence -> 'dates' AS dates, each.break_id::bigint AS break_id
    FROM signed
    CROSS JOIN jsonb_array_elements_text(signed.evidence -> 'breaks') AS each (break_id)
), mended AS (
    SELECT DISTINCT ON (rested_on.sign_off_id, known.break_id)
        rested_on.sign_off_id, rested_on.dates, accepted.invoice_key AS signed_key,
        known.break_id, known.invoice_key, known.jobid, known.category, known.business_date, event.reconciliation_id
    FROM rested_on
    JOIN ropo.reconciliation_break AS accepted USING (break_id)
    JOIN ropo.reconciliation_break AS known
        ON known.profile = accepted.profile AND known.invoice_key IN (accepted.invoice_key, accepted.renamed_to)
        AND known.category = accepted.category
    JOIN ropo.reconciliation_break_event AS event
        ON event.break_id = known.break_id AND event.kind = 'resolved'
        AND event.reconciliation_id = ANY(%(reconciliations)s::bigint[])
    JOIN ropo.reconciliation_item AS item
        ON item.reconciliation_id = event.reconciliation_id
        AND item.invoice_key IN (known.invoice_key, known.renamed_to) AND item.category = 'matched'
    ORDER BY rested_on.sign_off_id, known.break_id, event.event_id DESC
)
INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, note)
SELECT
    mended.sign_off_id, 'result_changed', mended.business_date, mended.reconciliation_id,
    ropo.invoice_in_words(mended.invoice_key)
    || ': ' || COALESCE(%(category_words)s::jsonb ->> mended.category, mended.category)
    || ', accepted when it was signed, is mended'
FROM mended
WHERE NOT EXISTS (
    SELECT
    FROM jsonb_array_elements(mended.dates) AS date (signed)
    JOIN ropo.reconciliation AS fresh
        ON fresh.reconciliation_id = ANY(%(reconciliations)s::bigint[]) AND fresh.scope = 'date'
        AND fresh.business_date = (date.signed ->> 'business_date')::date
    JOIN ropo.reconciliation_item AS showed
        ON showed.reconciliation_id = (date.signed ->> 'reconciliation_id')::bigint AND showed.category <> 'matched'
        AND (showed.invoice_key IN (mended.invoice_key, mended.signed_key) OR showed.jobid = mended.jobid)
)
ORDER BY mended.sign_off_id, mended.break_id
