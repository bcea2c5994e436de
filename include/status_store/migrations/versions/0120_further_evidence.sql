-- What a difference rests on beyond the states and amounts of the two sides: the ledger's other rows of the invoice, and
-- what Ropo says in codes that the status map lacks (how many rows, their sum, a digest of the codes). Null: nothing.
ALTER TABLE ropo.reconciliation_item ADD COLUMN further text;

DROP FUNCTION ropo.break_evidence(
    text, text, text, text, text, text, numeric, numeric, text, text, text, text, text,
    integer, numeric, numeric, numeric, numeric, numeric
);
-- As before, and with that.
CREATE FUNCTION ropo.break_evidence(
    reason text, currency text,
    ropo_status text, ropo_payment text, ropo_stage text, ropo_end text, ropo_paid numeric, ropo_discount numeric,
    ledger_status text, ledger_payment text, ledger_stage text, ledger_end text, ledger_word text,
    ledger_row_count integer, ledger_total numeric, ledger_paid numeric, ledger_discount numeric,
    ledger_credited numeric, ledger_open numeric, further text
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
    'ledger_open', trim_scale(ledger_open)::text,
    'further', further
);
