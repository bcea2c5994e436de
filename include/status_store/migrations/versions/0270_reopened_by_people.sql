-- A person may open again what was accepted. Without a reconciliation that found it, a break is reopened with a note.
ALTER TABLE ropo.reconciliation_break_event
    ADD CHECK (kind <> 'reopened' OR reconciliation_id IS NOT NULL OR COALESCE(btrim(note), '') <> '');

-- In a signed period such a break is flagged too; no reconciliation shows it then.
ALTER TABLE ropo.period_sign_off_flag
    ALTER COLUMN reconciliation_id DROP NOT NULL,
    ADD CHECK (reconciliation_id IS NOT NULL OR kind = 'break_reopened');

-- By its acceptance a break is found under each name that its invoice has had since; few are ever accepted.
CREATE INDEX reconciliation_break_by_acceptance ON ropo.reconciliation_break (profile, accepted_at)
    WHERE accepted_at IS NOT NULL;
