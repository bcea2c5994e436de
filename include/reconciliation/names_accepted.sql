-- The names under which the invoices of accepted breaks were known before: what breaks_renamed.sql has taken an acceptance
-- over from still bears it.
SELECT former.invoice_key AS former_key, known.invoice_key
FROM ropo.reconciliation_break AS known
JOIN ropo.reconciliation_break AS former USING (profile, category, accepted_at, accepted_evidence)
WHERE known.profile = %(profile)s AND known.state = 'accepted'
    AND former.state = 'resolved' AND former.accepted_at IS NOT NULL
