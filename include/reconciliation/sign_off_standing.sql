-- How each date of a period stands, by its newest reconciliation, and how the newest full comparison does that was made
-- after the period's end. Dates without a reconciliation have nulls; without a full comparison there is no such row.
WITH newest AS (
    SELECT DISTINCT ON (business_date) reconciliation_id
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = 'date' AND business_date BETWEEN %(first)s AND %(last)s
    ORDER BY business_date, reconciliation_id DESC
), newest_full AS (
    SELECT reconciliation_id
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = 'full' AND business_date >= %(last)s AND started_at >= %(period_end)s
    ORDER BY reconciliation_id DESC
    LIMIT 1
), standing AS (
    SELECT reconciliation.*
    FROM ropo.reconciliation
    WHERE reconciliation_id IN (SELECT reconciliation_id FROM newest UNION SELECT reconciliation_id FROM newest_full)
), difference AS (
    SELECT standing.reconciliation_id, standing.scope, item.profile, item.invoice_key, item.category, item.pending_until
    FROM standing
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
    WHERE item.category <> 'matched'
), unsettled AS (
    -- A break is settled by what stands of it now: accepted, or resolved since, and the invoice has no other that is open.
    SELECT difference.reconciliation_id, difference.invoice_key
    FROM difference
    LEFT JOIN ropo.reconciliation_break AS known USING (profile, invoice_key, category)
    WHERE difference.pending_until IS NULL AND known.break_id IS NULL
    UNION
    SELECT difference.reconciliation_id, difference.invoice_key
    FROM difference
    JOIN ropo.reconciliation_break AS known USING (profile, invoice_key)
    JOIN ropo.reconciliation AS opening ON opening.reconciliation_id = known.first_reconciliation_id
    WHERE known.state = 'open'
        -- A full comparison sees the dates after the period too: what these have shown is theirs to settle.
        AND NOT (difference.scope = 'full' AND opening.scope = 'date' AND known.business_date > %(last)s)
    UNION
    -- And what breaks since a date of the period though that date's own reconciliation does not show it.
    SELECT standing.reconciliation_id, known.invoice_key
    FROM ropo.reconciliation_break AS known
    JOIN standing ON standing.scope = 'date' AND standing.business_date = known.business_date
    WHERE known.profile = %(profile)s AND known.state = 'open'
), counted AS (
    SELECT reconciliation_id, count(*) AS unsettled
    FROM unsettled
    GROUP BY reconciliation_id
), waiting AS (
    SELECT reconciliation_id, max(pending_until) AS pending_until
    FROM difference
    GROUP BY reconciliation_id
), rested_on AS (
    SELECT difference.reconciliation_id, array_agg(known.break_id ORDER BY known.break_id) AS accepted_breaks
    FROM difference
    JOIN ropo.reconciliation_break AS known USING (profile, invoice_key, category)
    WHERE known.state = 'accepted'
    GROUP BY difference.reconciliation_id
)
SELECT
    COALESCE(standing.scope, 'date') AS scope,
    COALESCE(standing.business_date, day.business_date) AS business_date,
    standing.reconciliation_id,
    standing.verdict,
    standing.population,
    standing.matched,
    standing.pending,
    standing.breaks,
    standing.accepted,
    standing.totals -> 'currencies' AS currencies,
    ARRAY(SELECT reason ->> 'text' FROM jsonb_array_elements(standing.reasons) AS reason) AS reasons,
    acceptance.acceptance_id,
    COALESCE(counted.unsettled, 0) AS unsettled,
    waiting.pending_until,
    COALESCE(rested_on.accepted_breaks, '{}') AS accepted_breaks
FROM (
    SELECT generate_series(%(first)s::date, %(last)s::date, interval '1 day')::date AS business_date
) AS day
FULL JOIN standing ON standing.scope = 'date' AND standing.business_date = day.business_date
LEFT JOIN ropo.incompleteness_acceptance AS acceptance USING (reconciliation_id)
LEFT JOIN counted USING (reconciliation_id)
LEFT JOIN waiting USING (reconciliation_id)
LEFT JOIN rested_on USING (reconciliation_id)
ORDER BY (standing.scope IS NOT DISTINCT FROM 'full'), 2
