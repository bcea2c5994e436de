-- The name that an invoice of one reconciliation goes by in another one, where it is another name: that of its job or, where
-- the other one has none of its job, of its number. No row where it is not told apart by that: the job or the number is to be
-- one invoice's alone in both, and neither name to be another invoice's. So it is the same asked from either side.
CREATE FUNCTION ropo.other_name(item ropo.reconciliation_item, other bigint) RETURNS TABLE (invoice_key text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT named.invoice_key
    FROM (
        SELECT COALESCE(
            (
                SELECT max(of_job.invoice_key) FILTER (WHERE of_job.reconciliation_id = other)
                FROM ropo.reconciliation_item AS of_job
                WHERE of_job.profile = item.profile AND of_job.jobid = item.jobid
                    AND of_job.reconciliation_id IN (item.reconciliation_id, other)
                HAVING count(*) = 2
            ),
            (
                SELECT max(of_number.invoice_key) FILTER (WHERE of_number.reconciliation_id = other)
                FROM ropo.items_of_number(item.profile, item.billnum) AS of_number
                WHERE of_number.reconciliation_id IN (item.reconciliation_id, other)
                HAVING count(*) = 2 AND NOT bool_or(EXISTS (
                    SELECT
                    FROM ropo.reconciliation_item AS of_job
                    WHERE of_job.profile = item.profile AND of_job.jobid = of_number.jobid
                        AND of_job.reconciliation_id IN (item.reconciliation_id, other)
                        AND of_job.reconciliation_id <> of_number.reconciliation_id
                ))
            )
        ) AS invoice_key
        WHERE NOT EXISTS (
            SELECT
            FROM ropo.reconciliation_item AS same
            WHERE same.reconciliation_id = other AND same.invoice_key = item.invoice_key
        )
    ) AS named
    WHERE named.invoice_key IS NOT NULL AND NOT EXISTS (
        SELECT
        FROM ropo.reconciliation_item AS same
        WHERE same.reconciliation_id = item.reconciliation_id AND same.invoice_key = named.invoice_key
    );
END;

-- As of 0360; a break that the accepted one had under another name is the same break.
CREATE OR REPLACE VIEW ropo.incompleteness_accepted AS
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
                LEFT JOIN LATERAL ropo.other_name(item, acceptance.reconciliation_id) AS former ON true
                LEFT JOIN ropo.reconciliation_item AS had
                    ON had.reconciliation_id = acceptance.reconciliation_id
                    AND had.invoice_key = COALESCE(former.invoice_key, item.invoice_key)
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
