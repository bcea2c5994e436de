-- An invoice may lose its name: Ropo One speaks of it by another jobid than the ledger did, the ERP fills one in, a number
-- becomes two invoices'. Only a run that has gathered all that bears on a name can tell that nothing goes by it any more; of
-- names that a break is under it says so here, beside what it recorded.
ALTER TABLE ropo.break_backlog ADD COLUMN renamed jsonb;    -- [[former invoice_key, invoice_key now], ...]; null: none
