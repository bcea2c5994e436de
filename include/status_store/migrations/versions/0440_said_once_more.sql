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

-- The jobs of an invoice that is named by its newest job and its number: an event of an earlier one need not say the number.
CREATE FUNCTION ropo.jobids_of(profile text, jobid text, billnum text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
RETURN ARRAY(
    SELECT jobids_of.jobid
    UNION
    SELECT spoken.jobid
    FROM ropo.status_event AS spoken
    WHERE spoken.profile = jobids_of.profile AND spoken.billnum = jobids_of.billnum COLLATE "C"
);

-- An amount as people read it: with two digits at least, and none dropped of those there are.
CREATE FUNCTION ropo.with_cents(amount numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(amount, GREATEST(2, scale(amount)))::text;

-- A value of a break's evidence that has changed, in words.
CREATE FUNCTION ropo.change_in_words(key text, before text, after text)
RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN starts_with(key, 'ropo_') THEN substr(key, 6) || ' at Ropo One'
    WHEN starts_with(key, 'ledger_') THEN substr(key, 8) || ' in the ledger'
    ELSE key
END || CASE
    WHEN key ~ '_(paid|discount|total|credited|open)$' THEN
        ' from ' || COALESCE(ropo.with_cents(before::numeric), 'none')
            || ' to ' || COALESCE(ropo.with_cents(after::numeric), 'none')
    ELSE ' from ' || COALESCE(before, 'none') || ' to ' || COALESCE(after, 'none')
END;

-- A break's severity is what break_today says (0110); no list is in the order of these indexes.
DROP FUNCTION ropo.break_severity;
DROP INDEX ropo.reconciliation_break_by_first_seen, ropo.reconciliation_break_by_billnum;
