-- What these reconciliations change in periods that are signed: another result of a date than the one before it had.
WITH signed AS (
    SELECT DISTINCT ON (period) sign_off_id, period, (period + interval '1 month')::date AS next_period
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
), changed AS (
    SELECT
        signed.sign_off_id, fresh.business_date, fresh.reconciliation_id,
        format(
            '%%s → %%s',
            COALESCE(
                before.verdict || format(
                    ' (%%s invoices: %%s matched, %%s pending, %%s breaks, %%s accepted)',
                    before.population, before.matched, before.pending, before.breaks, before.accepted
                ),
                'not reconciled'
            ),
            fresh.verdict || format(
                ' (%%s invoices: %%s matched, %%s pending, %%s breaks, %%s accepted)',
                fresh.population, fresh.matched, fresh.pending, fresh.breaks, fresh.accepted
            ) || CASE
                WHEN before.verdict = 'incomplete' AND fresh.verdict = 'incomplete'
                    THEN '; what was accepted of the earlier one does not hold for this one'
                WHEN (before.verdict, before.population, before.matched, before.pending, before.breaks, before.accepted)
                    = (fresh.verdict, fresh.population, fresh.matched, fresh.pending, fresh.breaks, fresh.accepted)
                    THEN '; not as they were: ' || array_to_string(otherwise.invoice_keys[:3], ', ')
                        || COALESCE(' and ' || NULLIF(GREATEST(cardinality(otherwise.invoice_keys) - 3, 0), 0) || ' more', '')
                ELSE ''
            END
        ) AS note
    FROM ropo.reconciliation AS fresh
    JOIN signed ON fresh.business_date >= signed.period AND fresh.business_date < signed.next_period
    LEFT JOIN LATERAL (
        SELECT *
        FROM ropo.reconciliation AS earlier
        WHERE earlier.profile = fresh.profile AND earlier.business_date = fresh.business_date
            AND earlier.scope = 'date' AND earlier.reconciliation_id < fresh.reconciliation_id
        ORDER BY earlier.reconciliation_id DESC
        LIMIT 1
    ) AS before ON true
    CROSS JOIN LATERAL (
        SELECT array_agg(invoice_key ORDER BY invoice_key) AS invoice_keys
        FROM (
            SELECT * FROM ropo.reconciliation_item WHERE reconciliation_id = before.reconciliation_id
        ) AS was
        FULL JOIN (
            SELECT * FROM ropo.reconciliation_item WHERE reconciliation_id = fresh.reconciliation_id
        ) AS found USING (invoice_key)
        -- As in changed_items.sql.
        WHERE (was.category, was.reason, was.pending_until IS NULL, was.is_accepted, was.currency, was.further)
                IS DISTINCT FROM (
                    found.category, found.reason, found.pending_until IS NULL, found.is_accepted, found.currency, found.further
                )
           OR (was.ropo_status, was.ropo_paid, was.ropo_discount)
                IS DISTINCT FROM (found.ropo_status, found.ropo_paid, found.ropo_discount)
           OR (
                was.ledger_status, was.ledger_total, was.ledger_paid, was.ledger_discount, was.ledger_credited,
                was.ledger_open
            ) IS DISTINCT FROM (
                found.ledger_status, found.ledger_total, found.ledger_paid, found.ledger_discount, found.ledger_credited,
                found.ledger_open
            )
    ) AS otherwise
    WHERE fresh.reconciliation_id = ANY(%(reconciliations)s) AND fresh.scope = 'date'
        AND (
            -- That a date is incomplete was accepted of one reconciliation and its reasons: a newer one is another.
            fresh.verdict = 'incomplete'
            OR (fresh.verdict, fresh.population, fresh.matched, fresh.pending, fresh.breaks, fresh.accepted)
                IS DISTINCT FROM
                (before.verdict, before.population, before.matched, before.pending, before.breaks, before.accepted)
            -- Numbers and sums may be the same though the invoices are not; where these are, all that is made of them is.
            OR otherwise.invoice_keys IS NOT NULL
        )
)
INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, note)
SELECT sign_off_id, 'result_changed', business_date, reconciliation_id, note
FROM changed
ORDER BY reconciliation_id
