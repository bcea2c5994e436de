-- The tables of one comparison. They are the session's own and gone with its transaction, so that two comparisons of
-- one date at once cannot meet.

-- The business dates that are compared; none where the comparison is about all time, or about invoices that are named.
CREATE TEMP TABLE wanted_date (business_date date PRIMARY KEY) ON COMMIT DROP;

-- Every jobid and billnum that leads to an invoice of the population, found by following them to and fro.
CREATE TEMP TABLE found_key (
    kind text NOT NULL CHECK (kind IN ('jobid', 'billnum')),
    value text NOT NULL,
    round integer,                              -- in which its events were pulled; null: not yet
    ledger_batch integer,                       -- the question to the ledger that named it; null: not asked yet
    PRIMARY KEY (kind, value)
) ON COMMIT DROP;

CREATE TEMP TABLE found_event (
    statusid text NOT NULL,                     -- the key, where keys are followed
    jobid text,
    billnum text,
    statustype text NOT NULL,
    code text NOT NULL,                         -- a payment's type number, else the statuscode
    statustime timestamp NOT NULL,
    number numeric NOT NULL,                    -- the number in the statusid: the order of events of one second
    amount numeric,
    seen_on date NOT NULL                       -- business date on which it was first stored
) ON COMMIT DROP;

CREATE TEMP TABLE ledger_row (
    row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch integer NOT NULL,
    billnum text,                               -- this, status, total and paid are there once the batch is checked
    jobid text,
    status text,
    total numeric,
    paid numeric,
    discount numeric,
    credited numeric,
    open numeric,
    currency text,
    sent_at timestamptz,
    changed_at timestamptz,
    payments_by_ropo boolean                    -- null: true
) ON COMMIT DROP;

-- Invoices of a full comparison that are plainly open on both sides (set_aside_open.sql), as the ledger's row tells them.
CREATE TEMP TABLE plainly_open (
    invoice_key text NOT NULL,
    jobid text NOT NULL,
    billnum text NOT NULL,
    event_count integer NOT NULL,
    stage integer,                              -- of the newest event that has one
    status text NOT NULL,
    ledger_stage integer,
    total numeric NOT NULL,
    paid numeric NOT NULL,
    discount numeric,
    credited numeric,
    open numeric,
    currency text
) ON COMMIT DROP;

-- Invoices that belong to the population though neither an event nor a ledger row of the day says so: those of an
-- earlier reconciliation of the date, of events that came with other content on it, what a full comparison of it left
-- pending, those that somebody asks for, and those of rows in quarantine. And the names of breaks that are not resolved,
-- which are no seeds: whether anything still goes by them is asked wherever one of their keys is met.
CREATE TEMP TABLE named_invoice (
    business_date date,                         -- to whose population; null: of none of the dates
    invoice_key text NOT NULL,
    jobid text,
    billnum text,
    is_seed boolean NOT NULL,
    is_quarantined boolean NOT NULL
) ON COMMIT DROP;

CREATE TEMP TABLE code_meaning (
    statustype text NOT NULL,
    code text NOT NULL,
    kind text,                                  -- of a payment: paid, discount, ignore
    payment integer,                            -- places in PAYMENTS and STAGES of include/config/status_map.py
    stage integer,
    part_end text,
    PRIMARY KEY (statustype, code)
) ON COMMIT DROP;

CREATE TEMP TABLE word_meaning (
    status text PRIMARY KEY,
    payment integer,
    stage integer,
    part_end text
) ON COMMIT DROP;

-- The parts of the population that are a reconciliation each, by their business dates.
CREATE TEMP TABLE part (
    business_date date NOT NULL,
    invoice_key text NOT NULL,
    is_out_of_scope boolean NOT NULL
) ON COMMIT DROP;
