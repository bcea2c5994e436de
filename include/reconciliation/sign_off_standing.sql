-- How each date of a period stands, by its newest reconciliation, and how the newest full comparison does that was made
-- after the period's end. Dates without a reconciliation have nulls; without a full comparison there is no such row.
WITH newest AS (
    SELECT DISTINCT ON (business_date) reconciliation_id
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = 'date' AND business_date BETWEEN %(first)s AND %(last)s
    ORDER BY business_date, reconciliation_id DESC
), newest_full AS (
    SELECT reconciliation_id
    FROM ropo.reconciliation
    WHERE profile = %(profile)s AND scope = 'full' AND business_date >= %(last)s AND started_at >= %(period_end)s
    ORDER BY reconciliation_id DESC
    LIMIT 1
), standing AS MATERIALIZED (
    SELECT
        reconciliation.*,
        -- Its breaks stand nowhere: nothing may be said of them.
        ropo.is_blind(reasons)
            OR reconciliation_id IN (SELECT reconciliation_id FROM ropo.break_backlog) AS is_blind
    FROM ropo.reconciliation
    WHERE reconciliation_id IN (SELECT reconciliation_id FROM newest UNION SELECT reconciliation_id FROM newest_full)
), difference AS MATERIALIZED (
    SELECT standing.reconciliation_id, standing.scope, item.invoice_key
    FROM standing
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
    WHERE item.category <> 'matched'
), unresolved AS MATERIALIZED (
    SELECT break_id, state, invoice_key, business_date, first_reconciliation_id
    FROM ropo.reconciliation_break
    WHERE profile = %(profile)s AND state IN ('open', 'accepted')
), known_break AS MATERIALIZED (
    SELECT
        known.break_id, known.state, known.invoice_key, known.business_date, opening.scope AS opened_by,
        opening.scope = 'full' AND opening.business_date = known.business_date AS is_undated
    FROM unresolved AS known
    JOIN ropo.reconciliation AS opening ON opening.reconciliation_id = known.first_reconciliation_id
), open_break AS MATERIALIZED (
    SELECT break_id, invoice_key, business_date, opened_by FROM known_break WHERE state = 'open'
), standing_break AS MATERIALIZED (
    -- What is not resolved, by each name under which its invoice had a break: a date may show it by a former one.
    SELECT break_id, state, invoice_key
    FROM unresolved
    UNION ALL
    SELECT known.break_id, known.state, former.invoice_key
    FROM ropo.reconciliation_break AS former
    JOIN unresolved AS known ON known.invoice_key = former.renamed_to
    WHERE former.profile = %(profile)s AND former.renamed_to IS NOT NULL
), later AS MATERIALIZED (
    -- A full comparison sees what came after the period too: what dates after it have shown, or what was caused after it, is
    -- theirs to settle, or to accept. Not so what is about an event of the period that came late, or with other content, nor
    -- where the invoice had differed before, in whatever category, and was not right by the period's end.
    SELECT
        known_break.break_id, known_break.is_undated, item.reconciliation_id, item.invoice_key, item.caused_on,
        ropo.jobids_of(item.profile, item.jobid, item.billnum) COLLATE "C" AS jobids,
        item.billnum COLLATE "C" AS billnum
    FROM difference
    JOIN standing_break USING (invoice_key)
    JOIN known_break USING (break_id)
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id)
    WHERE difference.scope = 'full' AND item.invoice_key = difference.invoice_key
        AND known_break.business_date > %(last)s AND (NOT known_break.is_undated OR item.caused_on > %(last)s)
        AND NOT EXISTS (
            SELECT
            FROM ropo.reconciliation_break AS former
            JOIN ropo.reconciliation AS opening ON opening.reconciliation_id = former.first_reconciliation_id
            WHERE former.profile = %(profile)s
                AND (former.invoice_key = known_break.invoice_key OR former.renamed_to = known_break.invoice_key)
                AND (
                    former.business_date <= %(last)s
                    OR opening.scope = 'full' AND opening.business_date = former.business_date
                        AND former.break_id <> known_break.break_id
                )
                AND (former.state <> 'resolved' OR former.resolved_at >= %(period_end)s)
        )
), of_both AS MATERIALIZED (
    -- What something after the period has caused, while what is of the period may not be right either: the invoice was not
    -- found right since the last event of the period came (be it with other content), or has differed since by no later one.
    -- Where both sides differ by just the payments after the period, all before them is booked.
    SELECT item.reconciliation_id, item.invoice_key
    FROM (
        SELECT standing.reconciliation_id, waiting.invoice_key
        FROM standing
        JOIN ropo.reconciliation_item AS waiting USING (reconciliation_id)
        WHERE standing.pending > 0 AND waiting.category <> 'matched' AND waiting.pending_until IS NOT NULL
            AND waiting.caused_on > %(last)s
        UNION
        SELECT reconciliation_id, invoice_key
        FROM later
        WHERE caused_on > %(last)s
    ) AS since
    JOIN ropo.reconciliation_item AS item USING (reconciliation_id, invoice_key)
    LEFT JOIN LATERAL (
        SELECT
            found.reconciliation_id,
            GREATEST(LEAST(found.events_cutoff, found.view_at), looked.checked_at) AS seen_until,
            GREATEST(found.view_at, looked.checked_at) AS viewed_at
        FROM ropo.reconciliation_item AS matched
        JOIN ropo.reconciliation AS found USING (reconciliation_id)
        LEFT JOIN ropo.reconciled_date AS looked
            ON looked.profile = found.profile AND looked.business_date = found.business_date
            AND looked.scope = found.scope AND looked.reconciliation_id = found.reconciliation_id
        WHERE matched.profile = item.profile AND (matched.invoice_key = item.invoice_key OR matched.jobid = item.jobid)
            AND matched.category = 'matched'
        ORDER BY found.reconciliation_id DESC
        LIMIT 1
    ) AS was_right ON true
    CROSS JOIN LATERAL (
        SELECT
            bool_or(event.statustime::date <= %(last)s AND (
                (event.first_seen_at <= was_right.seen_until) IS NOT TRUE
                -- When it came is told before it is committed.
                OR EXISTS (
                    SELECT
                    FROM ropo.status_event_revision AS revision
                    WHERE revision.profile = event.profile AND revision.statusid = event.statusid
                        AND revision.recorded_at > was_right.viewed_at - interval '1 minute'
                )
            )) AS has_unseen,
            sum(event.amount) FILTER (WHERE event.statustype = 'payment' AND event.statustime::date > %(last)s) AS paid_after
        FROM ropo.event_as_read AS event
        WHERE event.profile = item.profile
            AND (
                event.jobid = ANY (ropo.jobids_of(item.profile, item.jobid, item.billnum) COLLATE "C")
                OR event.billnum = item.billnum COLLATE "C"
            )
            -- Of a number that several invoices have, those of this one's job.
            AND (starts_with(item.invoice_key, 'b:') OR event.jobid = item.jobid COLLATE "C")
    ) AS spoken
    WHERE (
        NULLIF(spoken.paid_after, 0) = COALESCE(item.ropo_paid, 0) + COALESCE(item.ropo_discount, 0)
            - COALESCE(item.ledger_paid, 0) - COALESCE(item.ledger_discount, 0)
        -- Where that leaves something open, a stage differs beside it, and so does the word that all is paid.
        AND (
            item.ropo_paid + item.ropo_discount >= item.ledger_total - COALESCE(item.ledger_credited, 0)
            OR (item.ropo_stage <> item.ledger_stage OR item.ropo_payment = 'paid') IS NOT TRUE
        )
    ) IS NOT TRUE
    AND (spoken.has_unseen OR EXISTS (
        SELECT
        FROM ropo.reconciliation_item AS differed
        JOIN ropo.reconciliation AS found USING (reconciliation_id)
        WHERE differed.profile = item.profile
            AND (differed.invoice_key = item.invoice_key OR differed.jobid = item.jobid)
            AND differed.category <> 'matched' AND found.reconciliation_id > COALESCE(was_right.reconciliation_id, 0)
            AND found.business_date <= %(last)s AND (differed.caused_on > %(last)s) IS NOT TRUE
            AND NOT ropo.is_blind(found.reasons)
    ))
), of_later AS MATERIALIZED (
    -- The events of these few, and not of all that differs.
    SELECT break_id
    FROM later
    -- What no date has shown by itself may have been so before, but for an invoice of which Ropo One spoke only after it.
    WHERE NOT (later.is_undated AND EXISTS (
        SELECT
        FROM ropo.status_event AS spoken
        WHERE spoken.profile = %(profile)s AND (spoken.jobid = ANY (later.jobids) OR spoken.billnum = later.billnum)
            AND spoken.statustime::date <= %(last)s
    ))
    AND (later.reconciliation_id, later.invoice_key) NOT IN (SELECT reconciliation_id, invoice_key FROM of_both)
    AND NOT EXISTS (
        SELECT
        FROM ropo.status_event AS late
        WHERE late.profile = %(profile)s AND (late.jobid = ANY (later.jobids) OR late.billnum = later.billnum)
            AND late.statustime::date <= %(last)s
            AND (
                later.caused_on <= %(last)s AND late.first_seen_at >= %(period_end)s
                OR (later.caused_on > %(last)s) IS NOT TRUE AND EXISTS (
                    SELECT
                    FROM ropo.status_event_revision AS revision
                    WHERE revision.profile = late.profile AND revision.statusid = late.statusid
                        AND revision.recorded_at >= %(period_end)s
                )
            )
    )
    -- Nor one that was the period's, and is another period's or invoice's since, whatever caused the difference.
    AND NOT EXISTS (
        SELECT
        FROM ropo.status_event_revision AS former
        JOIN ropo.status_event AS event ON event.profile = former.profile AND event.statusid = former.statusid
        WHERE former.profile = %(profile)s AND (former.jobid = ANY (later.jobids) OR former.billnum = later.billnum)
            AND former.recorded_at >= %(period_end)s AND former.statustime::date <= %(last)s
            AND (
                event.statustime::date > %(last)s
                OR (event.jobid, event.billnum) IS DISTINCT FROM (former.jobid, former.billnum)
            )
    )
), unsettled AS (
    -- A difference is settled by what stands of it now: its break accepted, or resolved since, and no other one open.
    SELECT difference.reconciliation_id, difference.invoice_key
    FROM difference
    WHERE EXISTS (
        SELECT
        FROM standing_break
        WHERE standing_break.invoice_key = difference.invoice_key AND standing_break.state = 'open'
            AND NOT (difference.scope = 'full' AND standing_break.break_id IN (SELECT break_id FROM of_later))
    )
    UNION ALL
    -- And what breaks since a date of the period though that date's own reconciliation does not show it.
    SELECT standing.reconciliation_id, open_break.invoice_key
    FROM standing
    JOIN open_break USING (business_date)
    WHERE standing.scope = 'date' AND NOT EXISTS (
        SELECT
        FROM difference
        JOIN standing_break USING (invoice_key)
        WHERE difference.reconciliation_id = standing.reconciliation_id
            AND standing_break.break_id = open_break.break_id
    )
    -- What a full comparison has found and still shows is counted there: it bears that one's date, no date's run shows it.
    AND NOT (
        open_break.opened_by = 'full'
        AND open_break.invoice_key IN (SELECT invoice_key FROM difference WHERE scope = 'full')
    )
), counted AS (
    SELECT
        reconciliation_id,
        count(*) AS unsettled,
        -- Whichever they are: a hundred thousand are not sorted for the names of a few.
        ARRAY(
            SELECT ropo.invoice_in_words(invoice_key)
            FROM unnest((array_agg(unsettled.invoice_key))[1:%(named)s]) AS named (invoice_key)
            ORDER BY invoice_key
        ) AS unsettled_named
    FROM unsettled
    GROUP BY reconciliation_id
), accepted AS (
    -- Whatever the category was when the date was compared: what was accepted is how the invoice differs now.
    SELECT DISTINCT difference.reconciliation_id, standing_break.break_id
    FROM standing_break
    JOIN difference USING (invoice_key)
    WHERE standing_break.state = 'accepted'
        AND NOT (difference.scope = 'full' AND standing_break.break_id IN (SELECT break_id FROM of_later))
), rested_on AS (
    SELECT
        accepted.reconciliation_id,
        array_agg(accepted.break_id ORDER BY accepted.break_id) AS accepted_breaks,
        array_agg(newest.event_id ORDER BY accepted.break_id) AS accepted_by_events
    FROM accepted
    CROSS JOIN LATERAL (
        -- What was said beside it changes nothing of it.
        SELECT max(event.event_id) AS event_id
        FROM ropo.reconciliation_break_event AS event
        WHERE event.break_id = accepted.break_id AND event.kind <> 'commented'
    ) AS newest
    GROUP BY accepted.reconciliation_id
)
SELECT
    COALESCE(standing.scope, 'date') AS scope,
    COALESCE(standing.business_date, day.business_date) AS business_date,
    standing.reconciliation_id,
    standing.verdict,
    standing.population,
    standing.matched,
    standing.pending,
    standing.breaks,
    standing.accepted,
    standing.totals -> 'currencies' AS currencies,
    -- Of what is not known. What differs is told by what stands of it now.
    ARRAY(
        SELECT reason ->> 'text'
        FROM jsonb_array_elements(standing.reasons) AS reason
        WHERE reason ->> 'word' <> ALL (%(found)s::text[])
    ) AS reasons,
    acceptance.acceptance_id,
    GREATEST(
        COALESCE(counted.unsettled, 0),
        CASE WHEN standing.is_blind THEN standing.breaks + standing.accepted ELSE 0 END
    ) AS unsettled,
    COALESCE(counted.unsettled_named, '{}') AS unsettled_named,
    held_up.invoices AS held_up,
    held_up.pending_until,
    COALESCE(rested_on.accepted_breaks, '{}') AS accepted_breaks,
    COALESCE(rested_on.accepted_by_events, '{}') AS accepted_by_events
FROM (
    SELECT generate_series(%(first)s::date, %(last)s::date, interval '1 day')::date AS business_date
) AS day
FULL JOIN standing ON standing.scope = 'date' AND standing.business_date = day.business_date
LEFT JOIN ropo.incompleteness_accepted AS acceptance USING (reconciliation_id)
LEFT JOIN counted USING (reconciliation_id)
LEFT JOIN LATERAL (
    -- Of a date what is within its grace and was not caused after the period alone: that is business that goes on. Of a full
    -- comparison what was caused by then, and no date by then that has it was compared since: from then on it is that
    -- date's. One after the period holds nothing of it up.
    SELECT count(*) AS invoices, max(item.pending_until) AS pending_until
    FROM ropo.reconciliation_item AS item
    LEFT JOIN of_both USING (reconciliation_id, invoice_key)
    WHERE standing.pending > 0
        AND item.reconciliation_id = standing.reconciliation_id AND item.category <> 'matched'
        AND item.pending_until IS NOT NULL
        AND CASE standing.scope
            WHEN 'date' THEN (item.caused_on > %(last)s) IS NOT TRUE OR of_both.invoice_key IS NOT NULL
            ELSE (item.caused_on <= %(last)s OR of_both.invoice_key IS NOT NULL) AND NOT EXISTS (
                SELECT
                FROM ropo.reconciliation_item AS held
                JOIN ropo.reconciliation AS dated USING (reconciliation_id)
                JOIN ropo.reconciled_date AS looked
                    ON looked.profile = dated.profile AND looked.business_date = dated.business_date
                    AND looked.scope = dated.scope AND looked.reconciliation_id = dated.reconciliation_id
                WHERE held.profile = item.profile AND held.invoice_key = item.invoice_key
                    AND dated.scope = 'date' AND dated.business_date <= %(last)s AND NOT ropo.is_blind(dated.reasons)
                    -- A night that finds a date as it was records nothing, and has looked all the same.
                    AND looked.checked_at > standing.started_at
            )
        END
) AS held_up ON true
LEFT JOIN rested_on USING (reconciliation_id)
ORDER BY (standing.scope IS NOT DISTINCT FROM 'full'), 2
