-- What is at stake: what the two sides differ by in all, else what they call payment and what discount differently, else the
-- invoice's total. In the invoice's currency.
DROP INDEX ropo.reconciliation_item_at_stake;
CREATE OR REPLACE FUNCTION ropo.amount_at_stake(
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
    NULLIF(abs(COALESCE(ropo_paid, 0) - COALESCE(ledger_paid, 0)), 0),
    abs(COALESCE(ledger_total, ropo_paid, 0))
);
CREATE INDEX reconciliation_item_at_stake ON ropo.reconciliation_item (
    reconciliation_id,
    ropo.amount_at_stake(ropo_paid, ropo_discount, ledger_paid, ledger_discount, ledger_total),
    invoice_key
) WHERE category <> 'matched';

-- An amount without the zeros that a division leaves: a ledger in cents, divided by 100.0, comes with twenty digits. Ropo
-- One's amounts have six at most.
CREATE FUNCTION ropo.plain_amount(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN scale(amount) > 6 THEN trim_scale(amount) ELSE amount END;
