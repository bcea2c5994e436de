-- Breaks that are known and shown again: reopened where they were resolved, or accepted with other states or amounts.
WITH met AS (
    SELECT
        known.break_id, known.state, (known.resolved_at AT TIME ZONE %(timezone)s)::date AS resolved_on, shown.*,
        CASE
            WHEN known.state = 'resolved' THEN 'reopened'
            WHEN known.state = 'accepted' AND NOT shown.evidence @> known.accepted_evidence THEN 'reopened'
            WHEN known.evidence IS DISTINCT FROM shown.evidence THEN 'changed'
        END AS kind,
        COALESCE(CASE known.state WHEN 'accepted' THEN known.accepted_evidence END, known.evidence) AS before
    FROM shown
    JOIN ropo.reconciliation_break AS known
        ON known.profile = %(profile)s
        AND known.invoice_key = shown.invoice_key AND known.category = shown.category
    WHERE shown.is_break
), written AS (
    UPDATE ropo.reconciliation_break AS known
    SET
        billnum = met.billnum,
        jobid = met.jobid,
        reason = met.reason,
        currency = met.currency,
        amount = met.amount,
        evidence = met.evidence,
        business_date = CASE
            -- What it is about came when it had been resolved: it is another difference, of its own date. (On that day, too: it
            -- has only begun in the night that resolves.) What the ledger made is of the dates that show it.
            WHEN met.state = 'resolved' AND COALESCE(met.caused_on, met.first_date, met.full_date) >= met.resolved_on
                THEN COALESCE(met.first_date, met.full_date)
            ELSE LEAST(known.business_date, met.first_date)
        END,
        last_seen = GREATEST(known.last_seen, met.started_at),
        times_seen = known.times_seen + met.times,
        last_reconciliation_id = met.reconciliation_id,
        state = CASE met.kind WHEN 'reopened' THEN 'open' ELSE known.state END,
        resolved_at = NULL,
        renamed_to = NULL,
        accepted_at = CASE WHEN met.kind = 'reopened' THEN NULL ELSE known.accepted_at END,
        accepted_by = CASE WHEN met.kind = 'reopened' THEN NULL ELSE known.accepted_by END,
        accepted_note = CASE WHEN met.kind = 'reopened' THEN NULL ELSE known.accepted_note END,
        accepted_evidence = CASE WHEN met.kind = 'reopened' THEN NULL ELSE known.accepted_evidence END
    FROM met
    WHERE known.break_id = met.break_id
)
INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, evidence, reconciliation_id)
SELECT
    met.break_id,
    %(by)s,
    met.kind,
    CASE WHEN met.state = 'resolved' THEN 'it is back' ELSE (
        SELECT string_agg(ropo.change_in_words(after.key, before.value, after.value), ', ' ORDER BY after.key)
        FROM jsonb_each_text(met.evidence) AS after
        LEFT JOIN jsonb_each_text(met.before) AS before USING (key)
        WHERE after.value IS DISTINCT FROM before.value
    ) END,
    met.evidence,
    met.reconciliation_id
FROM met
WHERE met.kind IS NOT NULL
ORDER BY met.break_id
