-- What a full comparison must look at though nothing may speak of it any more: what was known by a ledger row alone, and
-- what a break is of that is not resolved. What was named by a row in quarantine alone is neither.
-- Most invoices are known by their row alone when they are first compared. Where a row has one of its names now, nothing is
-- gone, and it is told by what it is now; but for a difference, whose grace goes on under an earlier name.
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined)
SELECT NULL::date, invoice_key, jobid, billnum, true, false
FROM ropo.reconciliation_item AS item
WHERE profile = %(profile)s AND event_count = 0 AND ledger_row_count > 0 AND category = 'matched'
    AND NOT EXISTS (SELECT FROM {every_row} AS booked WHERE booked.jobid = item.jobid)
    AND NOT EXISTS (SELECT FROM {every_row} AS booked WHERE booked.billnum = item.billnum)
UNION
SELECT NULL, invoice_key, jobid, billnum, true, false
FROM ropo.reconciliation_item
WHERE profile = %(profile)s AND event_count = 0 AND ledger_row_count > 0 AND category <> 'matched'
UNION
SELECT NULL, invoice_key, jobid, billnum, true, false
FROM ropo.reconciliation_break
WHERE profile = %(profile)s AND state <> 'resolved'
