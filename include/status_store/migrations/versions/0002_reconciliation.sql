-- One comparison of one profile and business date. Never changed afterwards: a date that is run again gets a new row.
CREATE TABLE ropo.reconciliation (
    reconciliation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile text NOT NULL,
    business_date date NOT NULL,
    scope text NOT NULL CHECK (scope IN ('date', 'full')),
    verdict text NOT NULL CHECK (verdict IN ('reconciled', 'pending', 'breaks', 'incomplete')),
    population bigint NOT NULL,
    matched bigint NOT NULL,
    pending bigint NOT NULL,
    breaks bigint NOT NULL,
    accepted bigint NOT NULL,
    out_of_scope bigint NOT NULL,       -- invoices of that day that were sent before the profile's start_date
    recovered integer,                  -- events that the re-read of the date brought first; null without a re-read
    absent_from_reread integer,         -- events held for the date that the re-read did not show
    reasons jsonb NOT NULL,             -- why the verdict is what it is: a list of {word, text}
    categories jsonb NOT NULL,          -- category: {matched | pending | breaks: count}
    totals jsonb NOT NULL,              -- rows of each side, and money by currency, as text (never a float)
    unmapped jsonb NOT NULL,            -- codes of the population that the status map lacks
    status_map_version text NOT NULL,
    reread_poll_id bigint REFERENCES ropo.status_poll (poll_id),
    events_cutoff timestamptz,          -- the newest event that was seen; null: the profile has none
    ledger_cutoff timestamptz NOT NULL, -- the ledger's clock at its snapshot
    ledger_newest_change timestamptz,   -- asked only where the profile has a max_age_hours
    dag_id text,
    run_id text,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    CHECK (population = matched + pending + breaks + accepted)
);
CREATE INDEX reconciliation_latest ON ropo.reconciliation (profile, business_date, reconciliation_id);

-- Every invoice of the population, the matched ones too.
CREATE TABLE ropo.reconciliation_item (
    reconciliation_id bigint NOT NULL REFERENCES ropo.reconciliation,
    invoice_key text NOT NULL,          -- b:<billnum>, or j:<jobid> where the number alone does not tell the invoice
    profile text NOT NULL,
    billnum text,
    jobid text,                         -- the newest, of an invoice that was sent again
    category text NOT NULL CHECK (category IN (
        'unparseable', 'duplicate_in_ledger', 'ambiguous_match', 'missing_in_ledger', 'missing_in_ropo',
        'unknown_status', 'ledger_inconsistent', 'status_conflict', 'ledger_behind', 'ledger_ahead',
        'amount_mismatch', 'matched'
    )),
    reason text,                        -- see include/reconciliation/categories.py
    hint text,                          -- invoice numbers of the other side that nearly match
    caused_on date,                     -- business date of the event that made the difference
    grace_from timestamptz,
    grace_until timestamptz,
    pending_until timestamptz,          -- set only while it is pending
    ropo_status text,
    ledger_status text,
    ropo_payment text,
    ropo_stage text,
    ropo_end text,
    ledger_payment text,
    ledger_stage text,
    ledger_end text,
    ledger_word text,                   -- the ERP's own word
    event_count integer NOT NULL,
    ledger_row_count integer NOT NULL,
    currency text NOT NULL,
    ropo_paid numeric,
    ropo_discount numeric,
    ledger_total numeric,
    ledger_paid numeric,
    ledger_discount numeric,
    ledger_credited numeric,
    ledger_open numeric,
    PRIMARY KEY (reconciliation_id, invoice_key),
    CHECK (billnum IS NOT NULL OR jobid IS NOT NULL),
    CHECK ((category = 'matched') = (grace_from IS NULL)),
    CHECK (pending_until IS NULL OR category <> 'matched')
);
CREATE INDEX reconciliation_item_by_category ON ropo.reconciliation_item (reconciliation_id, category, invoice_key);
CREATE INDEX reconciliation_item_of_invoice ON ropo.reconciliation_item (profile, invoice_key, reconciliation_id);
CREATE INDEX reconciliation_item_of_billnum ON ropo.reconciliation_item (profile, billnum, reconciliation_id);
CREATE INDEX reconciliation_item_of_job ON ropo.reconciliation_item (profile, jobid, reconciliation_id);
