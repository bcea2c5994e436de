SELECT
    part.business_date,
    category,
    CASE
        WHEN category = 'matched' THEN 'matched'
        WHEN is_accepted THEN 'accepted'
        WHEN pending_until IS NULL THEN 'breaks'
        ELSE 'pending'
    END AS bucket,
    currency,
    count(*) AS invoices,
    count(*) FILTER (WHERE event_count = 0) AS missing_at_ropo,
    count(*) FILTER (WHERE ledger_row_count = 0) AS missing_in_ledger,
    COALESCE(sum(ledger_row_count), 0) AS ledger_rows,
    COALESCE(sum(ropo_paid), 0) AS ropo_paid,
    COALESCE(sum(ropo_discount), 0) AS ropo_discount,
    COALESCE(sum(ledger_paid), 0) AS ledger_paid,
    COALESCE(sum(ledger_discount), 0) AS ledger_discount
FROM comparison
JOIN part USING (invoice_key)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
