-- The signed periods that opening these accepted breaks again would flag (flag_breaks.sql), of each break.
WITH opened AS MATERIALIZED (
    SELECT
        break_id AS opening, 'reopened' AS kind, invoice_key, jobid, category, business_date, NULL::bigint AS reconciliation_id
    FROM ropo.reconciliation_break
    WHERE profile = %(profile)s AND break_id = ANY(%(break_ids)s::bigint[])
), known_as AS (
    SELECT NULL::bigint AS reconciliation_id, named.former_key, named.invoice_key
    FROM ({names_accepted}) AS named
    WHERE named.invoice_key IN (SELECT invoice_key FROM opened)
), {months_touched}
SELECT touched.opening AS break_id, signed.period, signed.signed_by, signed.countersigned_by
FROM touched
JOIN signed USING (sign_off_id)
ORDER BY touched.opening, signed.period
