-- Whether an amount at stake says anything (include/reconciliation/stake.py). Ropo One names no invoice's total: of one that
-- the ledger lacks, and that nobody has paid, no amount is known.
CREATE FUNCTION ropo.is_stake_known(category text, amount numeric) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN category <> 'missing_in_ledger' OR amount <> 0;

-- Whether a reconciliation of a later moment than a view's has seen an invoice. One of a moment to come was written by a
-- clock that ran ahead, and a ledger that shows nothing at all says nothing of any invoice.
CREATE FUNCTION ropo.is_seen_after(profile text, invoice_key text, view_at timestamptz) RETURNS boolean LANGUAGE sql
RETURN EXISTS (
    SELECT
    FROM ropo.reconciliation_item AS item
    JOIN ropo.reconciliation AS later USING (reconciliation_id)
    WHERE item.profile = is_seen_after.profile AND item.invoice_key = is_seen_after.invoice_key
        AND later.view_at > is_seen_after.view_at AND later.view_at <= clock_timestamp()
        AND NOT later.reasons @> '[{"word": "ledger_empty"}]'
);
