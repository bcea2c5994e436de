-- The reconciliations whose items are exported: one that is named, else the newest of each business date of the period.
SELECT *
FROM (
    SELECT DISTINCT ON (business_date)
        reconciliation_id, business_date, scope, verdict, dag_id, run_id, started_at, events_cutoff, ledger_cutoff,
        ledger_newest_change, status_map_version
    FROM ropo.reconciliation
    WHERE profile = %(profile)s
      AND (
          reconciliation_id = %(reconciliation_id)s
          OR (
              %(reconciliation_id)s IS NULL AND scope = 'date'
              AND business_date BETWEEN %(first)s AND %(last)s
          )
      )
    ORDER BY business_date, reconciliation_id DESC
) AS exported
ORDER BY business_date
