-- The latest reconciliation of each business date, and of those before them that were recorded since %(recorded_from)s,
-- as a backfill takes them; of full comparisons only the newest. What somebody accepted as
-- incomplete is held to its breaks alone. Breaks count as recorded where the date is compared again by itself; of
-- what no recheck makes anew (full comparisons, dates before %(rechecked_from)s) those count that are open now: open
-- still, or open again though they were accepted when it was recorded.
WITH latest AS (
    SELECT max(reconciliation_id) AS reconciliation_id
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = %(scope)s AND business_date BETWEEN %(first)s AND %(last)s
    GROUP BY CASE WHEN scope = 'date' THEN business_date END
    UNION ALL
    SELECT max(reconciliation_id)
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND view_at >= %(recorded_from)s AND scope = %(scope)s AND business_date < %(first)s
    GROUP BY business_date
)
SELECT
    reconciliation_id, latest.business_date,
    CASE
        WHEN verdict = 'incomplete' AND acceptance.reconciliation_id IS NULL THEN verdict
        WHEN found.breaks > 0 THEN 'breaks'
        WHEN verdict = 'pending' THEN verdict
        ELSE 'reconciled'
    END AS verdict,
    found.breaks, latest.reasons, categories, totals, dag_id, run_id
FROM latest AS newest
JOIN ropo.reconciliation AS latest USING (reconciliation_id)
LEFT JOIN ropo.incompleteness_acceptance AS acceptance USING (reconciliation_id)
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN latest.breaks + latest.accepted = 0 OR latest.scope = 'date' AND latest.business_date >= %(rechecked_from)s
            THEN latest.breaks
        ELSE (
            SELECT count(*)
            FROM (
                SELECT
                FROM ropo.reconciliation_item AS item
                LEFT JOIN ropo.reconciliation_break AS known USING (profile, invoice_key, category)
                WHERE item.reconciliation_id = latest.reconciliation_id AND item.category <> 'matched'
                    AND item.pending_until IS NULL AND COALESCE(known.state = 'open', NOT item.is_accepted)
                LIMIT %(most)s
            ) AS open_now
        )
    END AS breaks
    OFFSET 0 -- else it is counted anew wherever it is named
) AS found
ORDER BY latest.business_date
