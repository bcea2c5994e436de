-- The latest reconciliation of each business date; of full comparisons only the newest, with the breaks that are open
-- still: no recheck makes it anew. What somebody accepted as incomplete is held to its breaks alone.
WITH latest AS (
    SELECT DISTINCT ON (CASE WHEN scope = 'date' THEN business_date END) *
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = %(scope)s AND business_date BETWEEN %(first)s AND %(last)s
    ORDER BY CASE WHEN scope = 'date' THEN business_date END, reconciliation_id DESC
)
SELECT
    reconciliation_id, latest.business_date,
    CASE
        WHEN verdict = 'breaks' OR acceptance.reconciliation_id IS NOT NULL
            THEN CASE WHEN found.breaks > 0 THEN 'breaks' ELSE 'reconciled' END
        ELSE verdict
    END AS verdict,
    population, found.breaks, latest.reasons, categories, totals, dag_id, run_id
FROM latest
LEFT JOIN ropo.incompleteness_acceptance AS acceptance USING (reconciliation_id)
CROSS JOIN LATERAL (
    SELECT CASE WHEN latest.scope = 'date' THEN latest.breaks ELSE (
        SELECT count(*)
        FROM ropo.reconciliation_item AS item
        LEFT JOIN ropo.reconciliation_break AS known USING (profile, invoice_key, category)
        WHERE item.reconciliation_id = latest.reconciliation_id AND item.category <> 'matched'
            AND item.pending_until IS NULL AND NOT item.is_accepted AND COALESCE(known.state, 'open') = 'open'
    ) END AS breaks
) AS found
ORDER BY latest.business_date
