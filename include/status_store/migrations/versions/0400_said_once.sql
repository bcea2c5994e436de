-- Whether a reconciliation found the ledger without any row: it says nothing of any invoice then.
CREATE FUNCTION ropo.is_blind(reasons jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN reasons @> '[{"word": "ledger_empty"}]';

-- What people call the invoice of a key.
CREATE FUNCTION ropo.invoice_in_words(invoice_key text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN invoice_key LIKE 'j:%' THEN 'job ' ELSE 'invoice ' END || substr(invoice_key, 3);
