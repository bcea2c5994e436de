-- What these reconciliations change in periods that are signed: another result of a date than the one before it had. What is
-- signed is that both sides agree, invoice by invoice, but for what was accepted. So it is none where both still agree and
-- have moved on together (an invoice of March is paid in April, be one side a morning later within its grace), and none that
-- a break is accepted now, or is gone that was resolved already when the period was signed.
WITH signed AS (
    SELECT DISTINCT ON (period) sign_off_id, period, (period + interval '1 month')::date AS next_period, evidence
    FROM ropo.period_sign_off
    WHERE profile = %(profile)s
    ORDER BY period, sign_off_id DESC
), changed AS (
    SELECT
        signed.sign_off_id, fresh.business_date, fresh.reconciliation_id,
        format(
            '%%s, now %%s',
            COALESCE(
                before.verdict || format(
                    ' (invoices %%s: matched %%s, pending %%s, breaks %%s, accepted %%s)',
                    before.population, before.matched, before.pending, before.breaks, before.accepted
                ),
                'not reconciled'
            ),
            fresh.verdict || format(
                ' (invoices %%s: matched %%s, pending %%s, breaks %%s, accepted %%s)',
                fresh.population, fresh.matched, fresh.pending, fresh.breaks, fresh.accepted
            ) || CASE
                WHEN before.verdict = 'incomplete' AND doubted.is_other
                    THEN '; for another reason: what was accepted of the earlier one does not hold for this one'
                WHEN (before.verdict, before.population, before.matched, before.pending, before.breaks, before.accepted)
                    = (fresh.verdict, fresh.population, fresh.matched, fresh.pending, fresh.breaks, fresh.accepted)
                    THEN '; not as they were: ' || (
                            SELECT string_agg(ropo.invoice_in_words(invoice_key), ', ' ORDER BY place)
                            FROM unnest(otherwise.invoice_keys[:3]) WITH ORDINALITY AS named (invoice_key, place)
                        )
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
        SELECT
            fresh.verdict = 'incomplete' AND (
                before.verdict IS DISTINCT FROM 'incomplete' OR NOT ropo.are_reasons_known(fresh.reasons, before.reasons)
            ) AS is_other
    ) AS doubted
    CROSS JOIN LATERAL (
        SELECT array_agg(COALESCE(found.invoice_key, was.invoice_key) ORDER BY COALESCE(found.invoice_key, was.invoice_key))
            AS invoice_keys
        FROM (
            -- An invoice that Ropo One spoke of since goes by its number, and one whose jobid was booked since by that.
            SELECT item.*, COALESCE(renamed.invoice_key, item.invoice_key) AS key_now
            FROM ropo.reconciliation_item AS item
            LEFT JOIN LATERAL ropo.other_name(item, fresh.reconciliation_id) AS renamed ON true
            WHERE item.reconciliation_id = before.reconciliation_id
        ) AS was
        FULL JOIN (
            SELECT * FROM ropo.reconciliation_item WHERE reconciliation_id = fresh.reconciliation_id
        ) AS found ON found.invoice_key = was.key_now
        LEFT JOIN ropo.reconciliation_break AS known
            ON known.profile = fresh.profile AND known.invoice_key = was.invoice_key AND known.category = was.category
        WHERE CASE
            WHEN (was.category = 'matched' OR was.pending_until IS NOT NULL AND was.caused_on >= signed.next_period)
                AND (found.category = 'matched' OR found.pending_until IS NOT NULL AND found.caused_on >= signed.next_period)
                THEN
                was.currency <> found.currency
                OR (was.ropo_status, was.ropo_paid, was.ropo_discount)
                    IS DISTINCT FROM (found.ropo_status, found.ropo_paid, found.ropo_discount)
                AND EXISTS (
                    -- One of the period itself came late, or came again with other content. Of both, when it came is told before
                    -- it is committed: what overlapped the comparison may not have been seen by it. An event was not where
                    -- the comparison had fewer than there are. By a clock that ran ahead the newest may lie ahead of it.
                    SELECT
                    FROM (SELECT COALESCE(LEAST(before.events_cutoff, before.view_at), '-infinity') AS up_to) AS seen
                    CROSS JOIN LATERAL (
                        SELECT
                            max(event.first_seen_at) FILTER (WHERE event.statustime < signed.next_period) AS newest,
                            -- Of a number that several invoices have, those of this one's job.
                            count(*) FILTER (
                                WHERE event.first_seen_at <= seen.up_to
                                    AND (starts_with(found.invoice_key, 'b:') OR event.jobid = found.jobid COLLATE "C")
                            ) AS known,
                            bool_or(event.statustime < signed.next_period AND EXISTS (
                                SELECT
                                FROM ropo.status_event_revision AS revision
                                WHERE revision.profile = event.profile AND revision.statusid = event.statusid
                                    AND revision.recorded_at > COALESCE(before.view_at, '-infinity') - interval '1 minute'
                            )) AS is_revised
                        FROM ropo.status_event AS event
                        WHERE event.profile = fresh.profile
                            AND (
                                event.jobid = ANY (ropo.jobids_of(fresh.profile, found.jobid, found.billnum) COLLATE "C")
                                OR event.billnum = found.billnum COLLATE "C"
                            )
                    ) AS late
                    WHERE late.newest > seen.up_to
                        OR late.newest > seen.up_to - interval '1 hour' AND late.known > was.event_count
                        OR late.is_revised
                    UNION ALL
                    -- Or it was, until it came as one of another day or invoice.
                    SELECT
                    FROM ropo.status_event_revision AS revision
                    WHERE revision.profile = fresh.profile AND revision.statustime < signed.next_period
                        AND revision.recorded_at > COALESCE(before.view_at, '-infinity') - interval '1 minute'
                        AND (
                            revision.jobid = ANY (ropo.jobids_of(fresh.profile, found.jobid, found.billnum) COLLATE "C")
                            OR revision.billnum = found.billnum COLLATE "C"
                        )
                )
            WHEN found.category = 'matched' AND was.pending_until IS NULL THEN
                known.break_id IS NULL
                OR EXISTS (
                    -- Signed over as accepted, in whatever category, under whatever name it had then.
                    SELECT
                    FROM ropo.reconciliation_break AS rested
                    WHERE rested.profile = fresh.profile
                        AND (
                            rested.invoice_key IN (was.invoice_key, found.invoice_key)
                            OR rested.renamed_to IN (was.invoice_key, found.invoice_key)
                        )
                        AND signed.evidence -> 'breaks' @> to_jsonb(rested.break_id)
                )
                OR EXISTS (
                    SELECT FROM ropo.period_sign_off_flag AS flag
                    WHERE flag.sign_off_id = signed.sign_off_id AND flag.break_id = known.break_id
                )
            WHEN found.is_accepted AND EXISTS (
                -- As the very difference that it was accepted as, be it in another category than the date had it in.
                SELECT
                FROM ropo.reconciliation_break AS stands
                WHERE stands.profile = fresh.profile
                    AND (stands.invoice_key = found.invoice_key OR stands.renamed_to = found.invoice_key)
                    AND stands.category = found.category AND signed.evidence -> 'breaks' @> to_jsonb(stands.break_id)
            ) THEN false
            ELSE
                {other_result} OR was.is_accepted AND NOT found.is_accepted
        END
    ) AS otherwise
    WHERE fresh.reconciliation_id = ANY(%(reconciliations)s) AND fresh.scope = 'date'
        AND (
            -- That a date is incomplete was accepted for the reasons that it had: any other one is a change.
            doubted.is_other
            OR before.reconciliation_id IS NULL
            OR otherwise.invoice_keys IS NOT NULL
        )
)
INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, note)
SELECT sign_off_id, 'result_changed', business_date, reconciliation_id, note
FROM changed
ORDER BY reconciliation_id
