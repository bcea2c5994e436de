-- What a difference rests on beyond the states and amounts of the two sides. A code may be a free text, so that it is not
-- written here; a digest tells whether it is another one. Where no invoice of such a category is there, nothing is read.
UPDATE comparison
SET further = other.rows
FROM (
    SELECT
        invoice_key,
        string_agg(
            format(
                '%%s, total %%s, paid %%s, discount %%s, credited %%s, open %%s',
                status, trim_scale(total), trim_scale(paid), COALESCE(trim_scale(discount)::text, 'none'),
                COALESCE(trim_scale(credited)::text, 'none'), COALESCE(trim_scale(open)::text, 'none')
            ),
            '; ' ORDER BY place
        ) AS rows
    FROM ledger_side
    WHERE place > 1 AND EXISTS (
        SELECT FROM comparison WHERE category IN ('unparseable', 'duplicate_in_ledger', 'ambiguous_match')
    )
    GROUP BY invoice_key
) AS other
WHERE comparison.invoice_key = other.invoice_key AND comparison.category <> 'matched';

UPDATE comparison
SET further = concat_ws('; ', comparison.further, unmapped.rows)
FROM (
    SELECT
        invoice_key,
        format(
            '%%s rows with codes not in the map (%%s), %%s in all',
            count(*),
            left(
                encode(
                    sha256(
                        convert_to(
                            string_agg(DISTINCT statustype || ' ' || code, ',' ORDER BY statustype || ' ' || code),
                            'UTF8'
                        )
                    ),
                    'hex'
                ),
                8
            ),
            trim_scale(COALESCE(sum(amount), 0))
        ) AS rows
    FROM spoken
    JOIN comparison AS found USING (invoice_key)
    -- Of what goes before an unknown status, the money: no sum of the invoice has it.
    WHERE NOT is_mapped AND (
        category = 'unknown_status'
        OR statustype = 'payment'
            AND category IN ('unparseable', 'duplicate_in_ledger', 'ambiguous_match', 'missing_in_ledger')
    )
    GROUP BY invoice_key
) AS unmapped
WHERE comparison.invoice_key = unmapped.invoice_key;
