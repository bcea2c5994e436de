-- Breaks that live across days, what people decide about them, and the sign-off of a month.

-- The moment that a comparison shows, by the store's clock. Of two that saw one invoice the later moment counts, in
-- whatever order they were recorded. Null: recorded before this migration.
ALTER TABLE ropo.reconciliation ADD COLUMN view_at timestamptz;
CREATE INDEX reconciliation_by_view ON ropo.reconciliation (profile, view_at);

-- Set: a break that stood accepted, with the very amounts and states that it was accepted with, when this was recorded.
ALTER TABLE ropo.reconciliation_item
    ADD COLUMN is_accepted boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT is_accepted OR (category <> 'matched' AND pending_until IS NULL));

CREATE TYPE ropo.severity AS ENUM ('low', 'medium', 'high');   -- in this order, so that it sorts

-- What a profile's breaks are judged by: its `severity` and `timezone` as of its newest reconciliation. Whoever writes a
-- profile's breaks or sign-offs locks this row first, so that one does at a time and two can never wait for each other.
CREATE TABLE ropo.break_policy (
    profile text PRIMARY KEY,
    timezone text NOT NULL,
    medium_amount numeric NOT NULL,
    high_amount numeric NOT NULL,
    medium_age_days integer NOT NULL,
    high_age_days integer NOT NULL
);

-- Either of amount and age suffices. Age moves with the calendar, so that severity is derived and never stored.
CREATE FUNCTION ropo.break_severity(amount numeric, age_days integer, policy ropo.break_policy)
RETURNS ropo.severity LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN amount >= policy.high_amount OR age_days >= policy.high_age_days THEN 'high'
    WHEN amount >= policy.medium_amount OR age_days >= policy.medium_age_days THEN 'medium'
    ELSE 'low'
END::ropo.severity;

-- What is at stake: what the two sides differ by, else the invoice's total. In the invoice's currency.
CREATE FUNCTION ropo.amount_at_stake(
    ropo_paid numeric, ropo_discount numeric, ledger_paid numeric, ledger_discount numeric, ledger_total numeric
)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN COALESCE(
    NULLIF(
        abs(
            COALESCE(ropo_paid, 0) + COALESCE(ropo_discount, 0)
            - COALESCE(ledger_paid, 0) - COALESCE(ledger_discount, 0)
        ),
        0
    ),
    abs(COALESCE(ledger_total, ropo_paid, 0))
);

-- A difference of one category of one invoice, across days: there is one row of it, however often it returns.
CREATE TABLE ropo.reconciliation_break (
    break_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile text NOT NULL REFERENCES ropo.break_policy,
    invoice_key text NOT NULL,                   -- as in reconciliation_item
    billnum text,
    jobid text,
    category text NOT NULL CHECK (category IN (
        'unparseable', 'duplicate_in_ledger', 'ambiguous_match', 'missing_in_ledger', 'missing_in_ropo',
        'unknown_status', 'ledger_inconsistent', 'status_conflict', 'ledger_behind', 'ledger_ahead',
        'amount_mismatch'
    )),
    reason text,                                 -- see include/reconciliation/categories.py
    state text NOT NULL CHECK (state IN ('open', 'accepted', 'resolved')),
    business_date date NOT NULL,                 -- the earliest date that showed it: age counts from it
    currency text NOT NULL,
    amount numeric NOT NULL CHECK (amount >= 0), -- at stake; see amount_at_stake
    evidence jsonb NOT NULL,                     -- both sides' states and amounts when last seen; amounts as text
    first_seen timestamptz NOT NULL,             -- by the runs that saw it
    last_seen timestamptz NOT NULL,
    times_seen integer NOT NULL CHECK (times_seen > 0),   -- recorded reconciliations that showed it
    first_reconciliation_id bigint NOT NULL REFERENCES ropo.reconciliation,
    last_reconciliation_id bigint NOT NULL REFERENCES ropo.reconciliation,
    accepted_at timestamptz,
    accepted_by text,
    accepted_note text,
    accepted_evidence jsonb,                     -- the evidence that was accepted: any other opens the break again
    resolved_at timestamptz,
    UNIQUE (profile, invoice_key, category),     -- serves the breaks of one invoice too
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    CHECK ((accepted_at IS NULL) = (accepted_note IS NULL)),
    CHECK ((accepted_at IS NULL) = (accepted_evidence IS NULL)),
    CHECK (btrim(accepted_note) <> '' AND btrim(accepted_by) <> ''),
    -- A resolved break keeps what it was accepted with until it returns.
    CHECK (CASE state WHEN 'open' THEN accepted_at IS NULL WHEN 'accepted' THEN accepted_at IS NOT NULL ELSE true END),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
    CHECK (first_seen <= last_seen)
);
CREATE INDEX reconciliation_break_by_age ON ropo.reconciliation_break (profile, state, category, business_date, break_id);
CREATE INDEX reconciliation_break_by_amount ON ropo.reconciliation_break (profile, state, amount, break_id);
CREATE INDEX reconciliation_break_by_first_seen ON ropo.reconciliation_break (profile, state, first_seen, break_id);
CREATE INDEX reconciliation_break_by_billnum ON ropo.reconciliation_break (profile, state, billnum, break_id);
CREATE INDEX reconciliation_break_of_billnum ON ropo.reconciliation_break (profile, billnum);
CREATE INDEX reconciliation_break_of_job ON ropo.reconciliation_break (profile, jobid);
CREATE INDEX reconciliation_break_by_date ON ropo.reconciliation_break (profile, business_date);

-- Every break with its age and severity today, by the calendar of its market; of a resolved one, on the day it was resolved.
CREATE VIEW ropo.break_today AS
SELECT
    found.*,
    aged.age_days,
    ropo.break_severity(found.amount, aged.age_days, policy) AS severity
FROM ropo.reconciliation_break AS found
JOIN ropo.break_policy AS policy USING (profile)
CROSS JOIN LATERAL (
    SELECT GREATEST(
        (COALESCE(found.resolved_at, now()) AT TIME ZONE policy.timezone)::date - found.business_date, 0
    ) AS age_days
) AS aged;

-- Everything that ever happened to a break, in the order of event_id.
CREATE TABLE ropo.reconciliation_break_event (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    break_id bigint NOT NULL REFERENCES ropo.reconciliation_break,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    by_whom text NOT NULL CHECK (btrim(by_whom) <> ''),    -- a person, or the program's own name for what it found itself
    kind text NOT NULL CHECK (kind IN ('opened', 'changed', 'accepted', 'reopened', 'resolved', 'commented')),
    note text,
    evidence jsonb,                              -- the break's after the event
    reconciliation_id bigint REFERENCES ropo.reconciliation,   -- that found it; null: a person did it
    CHECK (kind NOT IN ('accepted', 'commented') OR btrim(note) <> '')
);
CREATE INDEX reconciliation_break_event_of_break ON ropo.reconciliation_break_event (break_id, event_id);
CREATE INDEX reconciliation_break_event_of_reconciliation ON ropo.reconciliation_break_event (reconciliation_id)
    WHERE reconciliation_id IS NOT NULL;
CREATE TRIGGER reconciliation_break_event_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ropo.reconciliation_break_event
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();

-- A date that stays incomplete, taken by a person as it is. It covers one reconciliation, with the reasons that it had.
CREATE TABLE ropo.incompleteness_acceptance (
    acceptance_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reconciliation_id bigint NOT NULL UNIQUE REFERENCES ropo.reconciliation,
    profile text NOT NULL,
    business_date date NOT NULL,
    scope text NOT NULL,
    reasons jsonb NOT NULL,
    accepted_by text NOT NULL CHECK (btrim(accepted_by) <> ''),
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    note text NOT NULL CHECK (btrim(note) <> '')
);
CREATE INDEX incompleteness_acceptance_by_date ON ropo.incompleteness_acceptance (profile, business_date);
CREATE TRIGGER incompleteness_acceptance_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ropo.incompleteness_acceptance
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();

-- A month signed by one person and countersigned by another. Signed again after a change: another row; the newest counts.
CREATE TABLE ropo.period_sign_off (
    sign_off_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile text NOT NULL REFERENCES ropo.break_policy,
    period date NOT NULL CHECK (period = date_trunc('month', period)::date),   -- its first day
    signed_by text NOT NULL CHECK (btrim(signed_by) <> ''),
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    note text,
    countersigned_by text CHECK (lower(btrim(countersigned_by)) NOT IN ('', lower(btrim(signed_by)))),
    countersigned_at timestamptz,
    countersigned_note text,
    evidence jsonb NOT NULL,                     -- what was signed: each date's reconciliation and the full comparison
    CHECK ((countersigned_by IS NULL) = (countersigned_at IS NULL)),
    CHECK (countersigned_note IS NULL OR countersigned_by IS NOT NULL)
);
CREATE INDEX period_sign_off_newest ON ropo.period_sign_off (profile, period, sign_off_id);

-- It is written once, and countersigned once.
CREATE FUNCTION ropo.keep_sign_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.countersigned_by IS NOT NULL
        OR (NEW.sign_off_id, NEW.profile, NEW.period, NEW.signed_by, NEW.signed_at, NEW.note, NEW.evidence)
            IS DISTINCT FROM
            (OLD.sign_off_id, OLD.profile, OLD.period, OLD.signed_by, OLD.signed_at, OLD.note, OLD.evidence)
    THEN
        RAISE EXCEPTION 'a sign-off is only ever countersigned, once';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER period_sign_off_is_kept BEFORE UPDATE ON ropo.period_sign_off
    FOR EACH ROW EXECUTE FUNCTION ropo.keep_sign_off();
CREATE TRIGGER period_sign_off_stays BEFORE DELETE OR TRUNCATE ON ropo.period_sign_off
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();

-- What changed in a period after it was signed.
CREATE TABLE ropo.period_sign_off_flag (
    flag_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sign_off_id bigint NOT NULL REFERENCES ropo.period_sign_off,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL CHECK (kind IN ('result_changed', 'break_opened', 'break_reopened')),
    business_date date NOT NULL,
    reconciliation_id bigint NOT NULL REFERENCES ropo.reconciliation,    -- that showed it
    break_id bigint REFERENCES ropo.reconciliation_break,
    note text NOT NULL,
    CHECK ((kind = 'result_changed') = (break_id IS NULL))
);
CREATE INDEX period_sign_off_flag_of_sign_off ON ropo.period_sign_off_flag (sign_off_id, flag_id);
CREATE TRIGGER period_sign_off_flag_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ropo.period_sign_off_flag
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();
