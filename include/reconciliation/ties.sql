-- Each total of each part twice, by ways that share as little as possible: from the items, and from the events and the
-- ledger's rows.
WITH item AS (
    SELECT
        part.business_date, invoice_key, currency, event_count, ledger_row_count,
        ropo_paid, ropo_discount, ledger_paid, ledger_discount
    FROM comparison
    JOIN part USING (invoice_key)
), in_scope AS (
    SELECT business_date, invoice_key FROM part WHERE NOT is_out_of_scope
), booked AS (
    SELECT invoice_key, currency, paid, discount FROM owned_row
    UNION ALL
    SELECT invoice_key, currency, paid, discount FROM plainly_open
), event_money AS (
    SELECT item.business_date, item.currency, spoken.kind, sum(spoken.amount) AS amount
    FROM spoken
    JOIN item USING (invoice_key)
    WHERE spoken.kind IN ('paid', 'discount')
    GROUP BY 1, 2, 3
), row_money AS (
    SELECT
        in_scope.business_date,
        COALESCE(booked.currency, %(currency)s) AS currency,
        count(*) AS rows,
        sum(paid) AS paid,
        sum(COALESCE(discount, 0)) AS discount
    FROM booked
    JOIN in_scope USING (invoice_key)
    GROUP BY 1, 2
), extra AS (
    SELECT
        in_scope.business_date,
        COALESCE(ledger_side.currency, %(currency)s) AS currency,
        count(*) AS rows,
        sum(paid) AS paid,
        sum(COALESCE(discount, 0)) AS discount
    FROM ledger_side
    JOIN in_scope USING (invoice_key)
    WHERE place > 1
    GROUP BY 1, 2
), item_money AS (
    SELECT
        business_date,
        currency,
        count(*) AS items,
        count(*) FILTER (WHERE event_count > 0) AS spoken_of,
        count(*) FILTER (WHERE ledger_row_count > 0) AS booked,
        sum(COALESCE(ropo_paid, 0)) AS ropo_paid,
        sum(COALESCE(ropo_discount, 0)) AS ropo_discount,
        sum(COALESCE(ledger_paid, 0)) AS ledger_paid,
        sum(COALESCE(ledger_discount, 0)) AS ledger_discount
    FROM item
    GROUP BY 1, 2
), counted AS (
    SELECT business_date, 'population' AS total, '' AS currency, count(*) AS counted FROM in_scope GROUP BY 1
    UNION ALL
    SELECT in_scope.business_date, 'invoices at Ropo', '', count(*)
    FROM (SELECT DISTINCT invoice_key FROM spoken UNION ALL SELECT invoice_key FROM plainly_open) AS spoken_of
    JOIN in_scope USING (invoice_key)
    GROUP BY 1
    UNION ALL
    SELECT business_date, 'rows of the ledger', '', sum(rows) FROM row_money GROUP BY 1
    UNION ALL
    SELECT
        business_date,
        CASE kind WHEN 'paid' THEN 'money received at Ropo' ELSE 'discounts at Ropo' END,
        currency,
        amount
    FROM event_money
    UNION ALL
    SELECT business_date, 'money received in the ledger', currency, paid FROM row_money
    UNION ALL
    SELECT business_date, 'discounts in the ledger', currency, discount FROM row_money
), tied AS (
    SELECT business_date, 'population' AS total, '' AS currency, sum(items) AS tied FROM item_money GROUP BY 1
    UNION ALL
    SELECT business_date, 'invoices at Ropo', '', sum(spoken_of) FROM item_money GROUP BY 1
    UNION ALL
    SELECT business_date, 'rows of the ledger', '', sum(booked) + COALESCE(sum(extra.rows), 0)
    FROM item_money
    FULL JOIN extra USING (business_date, currency)
    GROUP BY 1
    UNION ALL
    SELECT business_date, 'money received at Ropo', currency, ropo_paid FROM item_money
    UNION ALL
    SELECT business_date, 'discounts at Ropo', currency, ropo_discount FROM item_money
    UNION ALL
    SELECT business_date, 'money received in the ledger', currency, COALESCE(ledger_paid, 0) + COALESCE(extra.paid, 0)
    FROM item_money
    FULL JOIN extra USING (business_date, currency)
    UNION ALL
    SELECT
        business_date, 'discounts in the ledger', currency, COALESCE(ledger_discount, 0) + COALESCE(extra.discount, 0)
    FROM item_money
    FULL JOIN extra USING (business_date, currency)
)
SELECT business_date, total, currency, COALESCE(counted.counted, 0)::numeric AS counted, COALESCE(tied.tied, 0)::numeric AS tied
FROM counted
FULL JOIN tied USING (business_date, total, currency)
ORDER BY business_date, total, currency
