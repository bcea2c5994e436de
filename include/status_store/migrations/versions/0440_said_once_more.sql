-- Whether an invoice has an open break now, whatever its category is now, and its name: a row of each that it had.
CREATE VIEW ropo.break_standing AS
SELECT known.profile, known.invoice_key, known.state = 'open' OR COALESCE(now.state = 'open', false) AS is_open
FROM ropo.reconciliation_break AS known
LEFT JOIN ropo.reconciliation_break AS now ON now.profile = known.profile AND now.invoice_key = known.renamed_to;

-- As of 0260, with what "shows nothing at all" is said once (0400).
CREATE OR REPLACE FUNCTION ropo.is_seen_after(profile text, invoice_key text, view_at timestamptz) RETURNS boolean
LANGUAGE sql
RETURN EXISTS (
    SELECT
    FROM ropo.reconciliation_item AS item
    JOIN ropo.reconciliation AS later USING (reconciliation_id)
    WHERE item.profile = is_seen_after.profile AND item.invoice_key = is_seen_after.invoice_key
        AND later.view_at > is_seen_after.view_at AND later.view_at <= clock_timestamp()
        AND NOT ropo.is_blind(later.reasons)
);

-- A break's severity is what break_today says (0110); no list is in the order of these indexes.
DROP FUNCTION ropo.break_severity;
DROP INDEX ropo.reconciliation_break_by_first_seen, ropo.reconciliation_break_by_billnum;
