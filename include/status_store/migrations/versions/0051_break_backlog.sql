-- Reconciliations whose breaks are not worked into ropo.reconciliation_break yet. A comparison shows one moment, and is
-- recorded with all its items in that moment's transaction; a break must know the newest state, whoever wrote it. So its
-- breaks are worked in by a transaction of their own right after, or, where the process died between, by the next one.
CREATE TABLE ropo.break_backlog (
    reconciliation_id bigint PRIMARY KEY REFERENCES ropo.reconciliation,
    profile text NOT NULL
);
CREATE INDEX break_backlog_by_profile ON ropo.break_backlog (profile, reconciliation_id);

-- What a break rests on: the states and amounts of both sides. Amounts as text, so that no reader takes one for a float,
-- and without closing zeros: 100 and 100.00 are one amount.
CREATE FUNCTION ropo.break_evidence(
    reason text, currency text,
    ropo_status text, ropo_payment text, ropo_stage text, ropo_end text, ropo_paid numeric, ropo_discount numeric,
    ledger_status text, ledger_payment text, ledger_stage text, ledger_end text, ledger_word text,
    ledger_row_count integer, ledger_total numeric, ledger_paid numeric, ledger_discount numeric,
    ledger_credited numeric, ledger_open numeric
)
RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN jsonb_build_object(
    'reason', reason,
    'currency', currency,
    'ropo_status', ropo_status,
    'ropo_payment', ropo_payment,
    'ropo_stage', ropo_stage,
    'ropo_end', ropo_end,
    'ropo_paid', trim_scale(ropo_paid)::text,
    'ropo_discount', trim_scale(ropo_discount)::text,
    'ledger_status', ledger_status,
    'ledger_payment', ledger_payment,
    'ledger_stage', ledger_stage,
    'ledger_end', ledger_end,
    'ledger_word', ledger_word,
    'ledger_row_count', ledger_row_count,
    'ledger_total', trim_scale(ledger_total)::text,
    'ledger_paid', trim_scale(ledger_paid)::text,
    'ledger_discount', trim_scale(ledger_discount)::text,
    'ledger_credited', trim_scale(ledger_credited)::text,
    'ledger_open', trim_scale(ledger_open)::text
);
