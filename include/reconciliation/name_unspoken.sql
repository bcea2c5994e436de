INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT DISTINCT NULL::date, invoice_key, jobid, billnum, true, false
FROM ropo.reconciliation_item
WHERE profile = %(profile)s AND event_count = 0
