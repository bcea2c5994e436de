-- What the reconciliations show of each invoice that breaks in them, or that has a break which is not resolved, be it under
-- a name that it no longer goes by (`known_as`). Where a reconciliation of a later moment has seen the invoice it is late:
-- an older view never undoes a newer one, in whatever order they are recorded.
CREATE TEMP TABLE candidate ON COMMIT DROP AS
WITH run AS (
    SELECT
        reconciliation.reconciliation_id, business_date, scope, started_at, view_at,
        ARRAY(
            SELECT later.reconciliation_id
            FROM ropo.reconciliation AS later
            WHERE later.profile = %(profile)s AND later.view_at > reconciliation.view_at
                AND later.view_at <= clock_timestamp()   -- a clock that was set back must not make all to come older
                AND NOT ropo.is_blind(later.reasons)
                -- One that is not in hand and waits is worked in after these, and is the newer one then.
                AND (
                    later.reconciliation_id = ANY(%(reconciliations)s)
                    OR NOT EXISTS (
                        SELECT FROM ropo.break_backlog AS waiting WHERE waiting.reconciliation_id = later.reconciliation_id
                    )
                )
        ) AS later_ids
    FROM ropo.reconciliation
    WHERE reconciliation_id = ANY(%(reconciliations)s)
        -- A ledger that shows nothing at all says nothing of any invoice.
        AND NOT ropo.is_blind(reasons)
), unresolved AS (
    SELECT invoice_key
    FROM ropo.reconciliation_break
    WHERE profile = %(profile)s AND state <> 'resolved'
), wanted AS (
    SELECT item.reconciliation_id, item.invoice_key
    FROM run
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
    WHERE item.category <> 'matched' AND item.pending_until IS NULL
    UNION
    SELECT item.reconciliation_id, item.invoice_key
    FROM run
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
    JOIN unresolved ON unresolved.invoice_key = item.invoice_key
    UNION
    SELECT item.reconciliation_id, item.invoice_key
    FROM run
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
    JOIN known_as USING (reconciliation_id, invoice_key)
)
SELECT
    run.reconciliation_id, run.business_date, run.scope, run.started_at, run.view_at,
    item.invoice_key, item.billnum, item.jobid, item.category, item.reason, item.currency,
    -- An event that is dated ahead of time is of the day that shows it. (LEAST passes over a null.)
    CASE
        WHEN item.caused_on IS NOT NULL THEN LEAST(item.caused_on, (run.started_at AT TIME ZONE %(timezone)s)::date)
    END AS caused_on,
    item.category <> 'matched' AND item.pending_until IS NULL AS is_break, item.is_accepted,
    run.later_ids <> '{}' AND EXISTS (
        SELECT
        FROM ropo.reconciliation_item AS later
        WHERE later.profile = %(profile)s AND later.invoice_key = item.invoice_key
            AND later.reconciliation_id = ANY(run.later_ids)
    ) AS is_late,
    ropo.amount_at_stake(
        item.ropo_paid, item.ropo_discount,
        item.ledger_paid, item.ledger_discount, item.ledger_total, item.ledger_credited, item.ledger_open
    ) AS amount,
    ropo.item_evidence(item) AS evidence
FROM wanted
JOIN run USING (reconciliation_id)
JOIN ropo.reconciliation_item AS item USING (reconciliation_id, invoice_key);

-- One row an invoice, from the newest moment. A full comparison shows what differs now, whatever its date: its date, or that
-- of what caused the difference since, is the difference's only where no date has shown it (`first_date` is null).
CREATE TEMP TABLE shown ON COMMIT DROP AS
SELECT DISTINCT ON (invoice_key)
    reconciliation_id, started_at, invoice_key, billnum, jobid, category, reason, currency, is_break, is_accepted, amount,
    evidence, caused_on, first_date, GREATEST(full_date, caused_on) AS full_date, times
FROM (
    SELECT
        candidate.*,
        min(business_date) FILTER (WHERE scope = 'date') OVER alike AS first_date,
        min(business_date) FILTER (WHERE scope = 'full') OVER alike AS full_date,
        count(*) FILTER (WHERE NOT is_late) OVER alike AS times
    FROM candidate
    WINDOW alike AS (PARTITION BY invoice_key, category, is_break)
) AS counted
WHERE NOT is_late
ORDER BY invoice_key, view_at DESC, reconciliation_id DESC;

ALTER TABLE shown ADD PRIMARY KEY (invoice_key);
ANALYZE shown;
