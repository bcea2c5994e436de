-- What a list of breaks stands on: a ledger that shows no row opens none, what waits has opened none yet, and what a date's
-- newest reconciliation left pending opens one with the next (`pending`: that one, and its date). One row a profile.
SELECT
    asked.profile,
    newest.reconciliation_id IS NOT NULL AS is_compared,
    CASE WHEN ropo.is_blind(newest.reasons) THEN newest.business_date END AS ledger_empty_on,
    (SELECT count(*) FROM ropo.break_backlog AS waiting WHERE waiting.profile = asked.profile) AS waiting,
    (
        SELECT COALESCE(jsonb_agg(jsonb_build_array(latest.reconciliation_id, business_date) ORDER BY business_date), '[]')
        FROM (
            SELECT DISTINCT ON (found.business_date) found.business_date, reconciliation_id, verdict
            FROM ropo.reconciliation AS found
            WHERE found.profile = asked.profile AND scope = 'date' AND found.business_date >= asked.start
            ORDER BY found.business_date, reconciliation_id DESC
        ) AS latest
        JOIN ropo.reconciliation AS recorded USING (reconciliation_id, business_date)
        -- Most are reconciled, which the index tells.
        WHERE latest.verdict <> 'reconciled' AND recorded.pending > 0
    ) AS pending
FROM unnest(%(profiles)s::text[], %(starts)s::date[]) AS asked (profile, start)
LEFT JOIN LATERAL (
    SELECT reconciliation_id, business_date, reasons
    FROM ropo.reconciliation AS found
    WHERE found.profile = asked.profile
    ORDER BY reconciliation_id DESC
    LIMIT 1
) AS newest ON true
