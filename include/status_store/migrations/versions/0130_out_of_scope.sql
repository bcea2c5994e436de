-- An invoice that was sent before the profile's start_date is in no reconciliation, so that nothing would ever close a
-- break that it had before start_date was moved. A run that meets it says so here, beside what it recorded.
ALTER TABLE ropo.break_backlog
    ADD COLUMN out_of_scope text[] NOT NULL DEFAULT '{}',   -- keys of invoices with a break that was not resolved
    ADD COLUMN start_date date;                             -- what they were sent before
