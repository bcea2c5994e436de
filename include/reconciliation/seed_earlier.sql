-- Every invoice of an earlier reconciliation of the date: a ledger row's changed_at moves on, a population does not shrink.
INSERT INTO named_invoice (invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT DISTINCT item.invoice_key, item.jobid, item.billnum, true, false
FROM ropo.reconciliation AS earlier
JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
WHERE earlier.profile = %(profile)s AND earlier.business_date = %(business_date)s AND earlier.scope = 'date'
