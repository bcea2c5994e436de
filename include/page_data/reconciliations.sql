-- Every reconciliation of a business date, the newest first.
SELECT
    reconciliation_id, found.business_date, found.scope, verdict, population, matched, pending, breaks, accepted, out_of_scope,
    recovered, absent_from_reread, second_opinions_asked, second_opinions_cleared, second_opinions_note,
    found.reasons, categories, totals, unmapped, status_map_version, events_cutoff, ledger_cutoff,
    ledger_newest_change, dag_id, run_id, started_at,
    acceptance.accepted_by AS incompleteness_accepted_by,
    acceptance.note AS incompleteness_note,
    acceptance.accepted_reconciliation_id AS incompleteness_accepted_of
FROM ropo.reconciliation AS found
LEFT JOIN ropo.incompleteness_accepted AS acceptance USING (reconciliation_id)
WHERE found.profile = %(profile)s AND found.business_date = %(business_date)s
ORDER BY reconciliation_id DESC
