-- Of each profile the latest reconciliation of each business date of its span, and of those before it that were recorded
-- since `recorded_from`, as a backfill takes them; of full comparisons the newest, and those of later dates than its own.
-- Those without a break, accepted or not, whose verdict is one of `quiet` are left out: there are hundreds for each that
-- tells anything.
-- What somebody accepted as incomplete is held to what it found alone. Breaks count as recorded where the date is compared
-- again by itself; of what no recheck makes anew (full comparisons, dates before the profile's rechecked_from) those count
-- that are open now: open still, or open again though they were accepted when it was recorded. Of these the categories are
-- counted too, and which event was the last that opened one since, whatever became of it: it changes where one is opened and
-- stays where one is settled.
WITH newest AS (
    SELECT asked.profile, asked.rechecked_from, found.reconciliation_id
    FROM unnest(%(profiles)s::text[], %(firsts)s::date[], %(lasts)s::date[], %(rechecked_from)s::date[])
        AS asked (profile, first, last, rechecked_from)
    CROSS JOIN LATERAL (
        SELECT
            reconciliation_id, verdict, all_breaks,
            CASE %(scope)s
                WHEN 'date' THEN row_number() OVER (PARTITION BY business_date ORDER BY reconciliation_id DESC) = 1
                -- Each looks at all invoices: one of an earlier date takes no other's place.
                ELSE COALESCE(business_date > max(business_date) OVER newer, true)
            END AS stands
        FROM (
            SELECT business_date, reconciliation_id, verdict, breaks + accepted AS all_breaks
            FROM ropo.reconciliation
            WHERE profile = asked.profile AND scope = %(scope)s AND business_date BETWEEN asked.first AND asked.last
            UNION ALL
            SELECT business_date, reconciliation_id, verdict, breaks + accepted AS all_breaks
            FROM ropo.reconciliation
            WHERE profile = asked.profile AND view_at >= %(recorded_from)s AND scope = %(scope)s
                AND business_date < asked.first
        ) AS recorded
        WINDOW newer AS (ORDER BY reconciliation_id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ) AS found
    WHERE found.stands AND (found.all_breaks > 0 OR found.verdict <> ALL (%(quiet)s::text[]))
)
SELECT
    newest.profile, latest.reconciliation_id, latest.business_date,
    CASE
        WHEN verdict = 'incomplete' AND acceptance.reconciliation_id IS NULL THEN verdict
        WHEN found.breaks > 0 THEN 'breaks'
        WHEN verdict = 'pending' OR latest.pending > 0 THEN 'pending'
        ELSE 'reconciled'
    END AS verdict,
    found.breaks, latest.pending, latest.reasons, latest.started_at,
    CASE WHEN %(in_full)s THEN categories ELSE '{}' END AS categories,
    CASE WHEN %(in_full)s THEN totals ELSE '{}' END AS totals,
    now_open.open_categories, opened.newest_opening,
    dag_id, run_id
FROM newest
CROSS JOIN LATERAL (
    SELECT *
    FROM ropo.reconciliation
    WHERE reconciliation_id = newest.reconciliation_id
    OFFSET 0 -- else, where more were expected, all of the table would be read
) AS latest
LEFT JOIN LATERAL (
    SELECT reconciliation_id
    FROM ropo.incompleteness_accepted
    WHERE reconciliation_id = latest.reconciliation_id
    OFFSET 0 -- as above
) AS acceptance ON latest.verdict = 'incomplete'
CROSS JOIN LATERAL (
    SELECT latest.breaks + latest.accepted > 0
        AND NOT (latest.scope = 'date' AND latest.business_date >= newest.rechecked_from) AS is_of_now
    OFFSET 0
) AS counted
CROSS JOIN LATERAL (
    SELECT CASE WHEN counted.is_of_now THEN (
        SELECT COALESCE(jsonb_object_agg(category, breaks), '{}')
        FROM (
            SELECT open_now.category, count(*) AS breaks
            FROM (
                SELECT item.category
                FROM ropo.reconciliation_item AS item
                LEFT JOIN LATERAL (
                    SELECT bool_or(is_open) AS is_open
                    FROM ropo.break_standing AS known
                    WHERE known.profile = item.profile AND known.invoice_key = item.invoice_key
                ) AS stands ON true
                WHERE item.reconciliation_id = latest.reconciliation_id AND item.category <> 'matched'
                    AND item.pending_until IS NULL AND COALESCE(stands.is_open, NOT item.is_accepted)
                ORDER BY item.invoice_key -- by an index: else the items of all dates would be read for a few of one
                LIMIT %(most)s
            ) AS open_now
            GROUP BY open_now.category
        ) AS of_category
    ) END AS open_categories
    OFFSET 0 -- else it is counted anew wherever it is named
) AS now_open
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN counted.is_of_now THEN (
            SELECT COALESCE(sum(number::bigint), 0)::bigint
            FROM jsonb_each_text(now_open.open_categories) AS each (category, number)
        )
        ELSE latest.breaks
    END AS breaks
    OFFSET 0
) AS found
CROSS JOIN LATERAL (
    SELECT CASE WHEN counted.is_of_now AND %(in_full)s THEN (
        SELECT max(opening.event_id)
        FROM (
            SELECT item.profile, item.invoice_key
            FROM ropo.reconciliation_item AS item
            WHERE item.reconciliation_id = latest.reconciliation_id AND item.category <> 'matched'
                AND item.pending_until IS NULL
            ORDER BY item.invoice_key
            OFFSET 0 -- as above
        ) AS item
        CROSS JOIN LATERAL (
            SELECT known.break_id, now.break_id AS break_id_now
            FROM ropo.reconciliation_break AS known
            LEFT JOIN ropo.reconciliation_break AS now
                ON now.profile = known.profile AND now.invoice_key = known.renamed_to
            WHERE known.profile = item.profile AND known.invoice_key = item.invoice_key
            OFFSET 0
        ) AS known
        CROSS JOIN LATERAL (
            SELECT event_id
            FROM ropo.reconciliation_break_event
            WHERE break_id IN (known.break_id, known.break_id_now) AND kind IN ('opened', 'reopened')
                -- What the reconciliation itself has opened it tells itself.
                AND (reconciliation_id IS NULL OR reconciliation_id > latest.reconciliation_id)
            ORDER BY event_id DESC
            LIMIT 1
        ) AS opening
    ) END AS newest_opening
    OFFSET 0
) AS opened
ORDER BY newest.profile, latest.business_date
