-- The parts whose re-read was possibly cut and is not judged yet, with the invoice numbers to ask about.
SELECT
    cut.filter_value::date AS business_date,
    cut.poll_id,
    cut.absent_count AS absent,
    part_of.invoices,
    part_of.unnamed,
    part_of.numbers,
    part_of.billnums
FROM ropo.status_poll AS cut
CROSS JOIN LATERAL (
    SELECT
        sum(invoices)::bigint AS invoices,
        COALESCE(sum(invoices) FILTER (WHERE billnum IS NULL), 0)::bigint AS unnamed,
        count(billnum) AS numbers,
        COALESCE(
            (array_agg(billnum ORDER BY is_matched, billnum COLLATE "C") FILTER (WHERE billnum IS NOT NULL))
            [:%(limit)s],
            '{}'
        ) AS billnums
    FROM (
        SELECT comparison.billnum, count(*) AS invoices, bool_and(comparison.category = 'matched') AS is_matched
        FROM part
        JOIN comparison USING (invoice_key)
        WHERE part.business_date = cut.filter_value::date
        GROUP BY comparison.billnum
    ) AS numbered
) AS part_of
WHERE cut.poll_id = ANY(%(polls)s) AND cut.profile = %(profile)s AND cut.kind = 'date'
  AND cut.outcome IN ('landed', 'empty') AND cut.possibly_cut AND cut.absent_count IS NOT NULL
  AND cut.shown_complete IS NULL
  AND part_of.invoices > 0
  AND NOT (
      %(once)s
      AND EXISTS (
          SELECT
          FROM ropo.status_poll AS before
          WHERE before.profile = cut.profile AND before.kind = 'date' AND before.filter_value = cut.filter_value
            AND NOT before.shown_complete
      )
  )
ORDER BY cut.filter_value
