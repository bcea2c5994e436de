-- The parts whose re-read was possibly cut and is not judged yet, with the invoice numbers to ask about; and why that
-- would be in vain, where each of them was asked about after an earlier re-read, which was not shown complete by it.
SELECT
    cut.filter_value::date AS business_date,
    cut.poll_id,
    cut.absent_count AS absent,
    part_of.invoices,
    part_of.unnamed,
    part_of.numbers,
    part_of.billnums,
    CASE WHEN NOT before.shown_complete THEN before.completeness END AS in_vain
FROM ropo.status_poll AS cut
CROSS JOIN LATERAL (
    SELECT
        COALESCE(sum(invoices), 0)::bigint AS invoices,
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
LEFT JOIN LATERAL (
    SELECT earlier.shown_complete, earlier.completeness
    FROM ropo.status_poll AS earlier
    WHERE earlier.profile = cut.profile AND earlier.kind = 'date' AND earlier.filter_value = cut.filter_value
      AND earlier.shown_complete IS NOT NULL AND earlier.absent_count = 0
      AND earlier.poll_id < (
          SELECT min(COALESCE(question.poll_id, 0))
          FROM unnest(part_of.billnums) AS number (billnum)
          CROSS JOIN LATERAL (
              SELECT max(poll_id) AS poll_id
              FROM ropo.status_poll
              WHERE profile = cut.profile AND kind = 'billnum' AND filter_value = number.billnum
                AND outcome IN ('landed', 'empty', 'refused')
          ) AS question
      )
    ORDER BY earlier.poll_id DESC
    LIMIT 1
) AS before ON true
WHERE cut.poll_id = ANY(%(polls)s) AND cut.profile = %(profile)s AND cut.kind = 'date'
  AND cut.outcome IN ('landed', 'empty') AND cut.possibly_cut AND cut.absent_count IS NOT NULL
  AND cut.shown_complete IS NULL
ORDER BY cut.filter_value
