-- Of breaks that are resolved since their invoice goes by another name: what stands of it under that name, the same difference
-- first. What was renamed more than once leads to the newest name at once (breaks_resolved.sql).
SELECT DISTINCT ON (former.break_id)
    former.break_id AS former_id, now.break_id, now.state, now.accepted_at
FROM ropo.reconciliation_break AS former
JOIN ropo.reconciliation_break AS now ON now.profile = former.profile AND now.invoice_key = former.renamed_to
WHERE former.break_id = ANY (%(break_ids)s::bigint[]) AND former.state = 'resolved' AND now.state <> 'resolved'
ORDER BY former.break_id, now.category = former.category DESC, now.state = 'open' DESC, now.break_id
