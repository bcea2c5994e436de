-- Each total twice, by ways that share as little as possible: from the items, and from the events and the ledger's rows.
WITH item AS (
    SELECT
        comparison.*,
        CASE WHEN category = 'matched' THEN 'matched' WHEN pending_until IS NULL THEN 'breaks' ELSE 'pending' END AS bucket
    FROM comparison
    JOIN part USING (invoice_key)
), in_scope AS (
    SELECT invoice_key FROM part WHERE NOT is_out_of_scope
), event_money AS (
    SELECT item.currency, spoken.kind, sum(spoken.amount) AS amount
    FROM spoken
    JOIN item USING (invoice_key)
    WHERE spoken.kind IN ('paid', 'discount')
    GROUP BY item.currency, spoken.kind
), row_money AS (
    SELECT COALESCE(currency, %(currency)s) AS currency, sum(paid) AS paid, sum(COALESCE(discount, 0)) AS discount
    FROM owned_row
    JOIN in_scope USING (invoice_key)
    GROUP BY 1
), extra AS (
    SELECT
        COALESCE(currency, %(currency)s) AS currency,
        count(*) AS rows,
        sum(paid) AS paid,
        sum(COALESCE(discount, 0)) AS discount
    FROM ledger_side
    JOIN in_scope USING (invoice_key)
    WHERE place > 1
    GROUP BY 1
), item_money AS (
    SELECT
        currency,
        sum(COALESCE(ropo_paid, 0)) AS ropo_paid,
        sum(COALESCE(ropo_discount, 0)) AS ropo_discount,
        sum(COALESCE(ledger_paid, 0)) AS ledger_paid,
        sum(COALESCE(ledger_discount, 0)) AS ledger_discount
    FROM item
    GROUP BY currency
)
SELECT 'population' AS total, '' AS currency, (SELECT count(*) FROM in_scope)::numeric AS counted, count(*)::numeric AS tied
FROM item
UNION ALL
SELECT 'invoices at Ropo', '', (SELECT count(DISTINCT invoice_key) FROM spoken JOIN in_scope USING (invoice_key)),
    count(*) - count(*) FILTER (WHERE event_count = 0)
FROM item
UNION ALL
SELECT 'rows of the ledger', '', (SELECT count(*) FROM owned_row JOIN in_scope USING (invoice_key)),
    count(*) - count(*) FILTER (WHERE ledger_row_count = 0) + COALESCE((SELECT sum(rows) FROM extra), 0)
FROM item
UNION ALL
SELECT 'money received at Ropo', currency, COALESCE(event_money.amount, 0), COALESCE(ropo_paid, 0)
FROM item_money
FULL JOIN (SELECT * FROM event_money WHERE kind = 'paid') AS event_money USING (currency)
UNION ALL
SELECT 'discounts at Ropo', currency, COALESCE(event_money.amount, 0), COALESCE(ropo_discount, 0)
FROM item_money
FULL JOIN (SELECT * FROM event_money WHERE kind = 'discount') AS event_money USING (currency)
UNION ALL
SELECT 'money received in the ledger', currency, COALESCE(row_money.paid, 0),
    COALESCE(item_money.ledger_paid, 0) + COALESCE(extra.paid, 0)
FROM item_money
FULL JOIN row_money USING (currency)
FULL JOIN extra USING (currency)
UNION ALL
SELECT 'discounts in the ledger', currency, COALESCE(row_money.discount, 0),
    COALESCE(item_money.ledger_discount, 0) + COALESCE(extra.discount, 0)
FROM item_money
FULL JOIN row_money USING (currency)
FULL JOIN extra USING (currency)
