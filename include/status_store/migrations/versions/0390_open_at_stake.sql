-- What is at stake: what the two sides differ by in all, else what they call payment and what discount differently, else what
-- is open in the ledger, else the invoice's total. In the invoice's currency. Of breaks that are recorded already it is
-- written anew when they are seen again.
CREATE FUNCTION ropo.amount_at_stake(
    ropo_paid numeric, ropo_discount numeric,
    ledger_paid numeric, ledger_discount numeric, ledger_total numeric, ledger_credited numeric, ledger_open numeric
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
    NULLIF(
        GREATEST(
            COALESCE(
                ledger_open,
                ledger_total - COALESCE(ledger_paid, 0) - COALESCE(ledger_discount, 0) - COALESCE(ledger_credited, 0)
            ),
            0
        ),
        0
    ),
    abs(COALESCE(ledger_total, ropo_paid, 0))
);
DROP INDEX ropo.reconciliation_item_at_stake;
DROP FUNCTION ropo.amount_at_stake(numeric, numeric, numeric, numeric, numeric);
CREATE INDEX reconciliation_item_at_stake ON ropo.reconciliation_item (
    reconciliation_id,
    ropo.amount_at_stake(
        ropo_paid, ropo_discount, ledger_paid, ledger_discount, ledger_total, ledger_credited, ledger_open
    ),
    invoice_key
) WHERE category <> 'matched';
