-- Whether each reason for which something is not known is one of the known ones (include/reconciliation/verdict.py): the
-- same word, about nothing but what that one was about. What was found (breaks, pending) is no such reason.
CREATE FUNCTION ropo.are_reasons_known(found jsonb, known jsonb) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN NOT EXISTS (
    SELECT
    FROM jsonb_to_recordset(found) AS reason (word text, about int8multirange)
    WHERE reason.word NOT IN ('breaks', 'pending') AND NOT EXISTS (
        SELECT
        FROM jsonb_to_recordset(known) AS same (word text, about int8multirange)
        WHERE same.word = reason.word AND (same.about IS NOT DISTINCT FROM reason.about OR same.about @> reason.about)
    )
);

-- What the difference of a recorded invoice rests on.
CREATE FUNCTION ropo.item_evidence(item ropo.reconciliation_item) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE
RETURN ropo.break_evidence(
    item.reason, item.currency,
    item.ropo_status, item.ropo_payment, item.ropo_stage, item.ropo_end, item.ropo_paid, item.ropo_discount,
    item.ledger_status, item.ledger_payment, item.ledger_stage, item.ledger_end, item.ledger_word,
    item.ledger_row_count, item.ledger_total, item.ledger_paid, item.ledger_discount,
    item.ledger_credited, item.ledger_open, item.further
);

-- Every reconciliation that is incomplete and accepted so, with the newest acceptance that holds for it: its own, or that of
-- an earlier one of the same date and scope. That holds as long as the date is incomplete, for no other reason, and has no
-- break that the accepted one did not have, with the same states and amounts.
CREATE VIEW ropo.incompleteness_accepted AS
SELECT
    found.reconciliation_id, held.acceptance_id, held.reconciliation_id AS accepted_reconciliation_id,
    held.accepted_by, held.accepted_at, held.note
FROM ropo.reconciliation AS found
CROSS JOIN LATERAL (
    SELECT acceptance.*
    FROM ropo.incompleteness_acceptance AS acceptance
    WHERE acceptance.profile = found.profile AND acceptance.business_date = found.business_date
        AND acceptance.scope = found.scope AND acceptance.reconciliation_id <= found.reconciliation_id
        AND ropo.are_reasons_known(found.reasons, acceptance.reasons)
        AND NOT EXISTS (
            SELECT
            FROM ropo.reconciliation AS between_them
            WHERE between_them.profile = found.profile AND between_them.business_date = found.business_date
                AND between_them.scope = found.scope AND between_them.verdict <> 'incomplete'
                AND between_them.reconciliation_id > acceptance.reconciliation_id
                AND between_them.reconciliation_id < found.reconciliation_id
        )
        AND (
            found.breaks = 0
            OR acceptance.reconciliation_id = found.reconciliation_id
            OR NOT EXISTS (
                SELECT
                FROM ropo.reconciliation_item AS item
                LEFT JOIN ropo.reconciliation_item AS had
                    ON had.reconciliation_id = acceptance.reconciliation_id AND had.invoice_key = item.invoice_key
                    AND had.category = item.category AND had.pending_until IS NULL
                WHERE item.reconciliation_id = found.reconciliation_id AND item.category <> 'matched'
                    AND item.pending_until IS NULL AND NOT item.is_accepted
                    AND ropo.item_evidence(item) IS DISTINCT FROM
                        CASE WHEN had.invoice_key IS NOT NULL THEN ropo.item_evidence(had) END
            )
        )
    ORDER BY acceptance.acceptance_id DESC
    LIMIT 1
) AS held
WHERE found.verdict = 'incomplete';
