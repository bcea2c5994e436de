-- What a full comparison must look at though nothing may speak of it any more: what was known by a ledger row alone, and
-- what a break is of that is not resolved. What was named by a row in quarantine alone is neither.
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT NULL::date, invoice_key, jobid, billnum, true, false
FROM ropo.reconciliation_item
WHERE profile = %(profile)s AND event_count = 0 AND ledger_row_count > 0
UNION
SELECT NULL, invoice_key, jobid, billnum, true, false
FROM ropo.reconciliation_break
WHERE profile = %(profile)s AND state <> 'resolved'
