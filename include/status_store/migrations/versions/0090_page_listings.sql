-- Differing items are few among all items: their listings must not walk over the matched ones.
CREATE INDEX reconciliation_item_differing ON ropo.reconciliation_item (reconciliation_id, invoice_key)
    WHERE category <> 'matched';
CREATE INDEX reconciliation_item_at_stake ON ropo.reconciliation_item (
    reconciliation_id,
    ropo.amount_at_stake(ropo_paid, ropo_discount, ledger_paid, ledger_discount, ledger_total),
    invoice_key
) WHERE category <> 'matched';

-- Open breaks by category, age and currency, with the money: read from the index alone.
CREATE INDEX reconciliation_break_open ON ropo.reconciliation_break (profile, category, business_date, currency)
    INCLUDE (amount) WHERE state = 'open';
-- All of a state by age, whatever their category.
CREATE INDEX reconciliation_break_oldest ON ropo.reconciliation_break (profile, state, business_date, break_id);
