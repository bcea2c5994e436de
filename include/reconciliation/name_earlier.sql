-- Every invoice of an earlier reconciliation of the dates: a ledger row's changed_at moves on, a population does not shrink.
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT DISTINCT earlier.business_date, item.invoice_key, item.jobid, item.billnum, true, false
FROM wanted_date
JOIN ropo.reconciliation AS earlier USING (business_date)
JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
WHERE earlier.profile = %(profile)s AND earlier.scope = 'date'
