-- Labels of unmapped codes are texts of rows. What a code is, and how often it was seen, stays.
UPDATE ropo.reconciliation AS held
SET unmapped = (
    SELECT jsonb_agg(code || '{"label": ""}' ORDER BY place)
    FROM jsonb_array_elements(held.unmapped) WITH ORDINALITY AS listed (code, place)
)
WHERE held.profile = %(profile)s
  AND EXISTS (SELECT FROM jsonb_array_elements(held.unmapped) AS code WHERE code ->> 'label' <> '')
  AND (
      held.started_at < %(before)s
      OR held.reconciliation_id IN (
          SELECT item.reconciliation_id
          FROM ropo.items_of_number(%(profile)s, %(billnum)s) AS item
          UNION
          SELECT item.reconciliation_id
          FROM ropo.reconciliation_item AS item
          WHERE item.profile = %(profile)s AND item.jobid = ANY (%(jobids)s)
      )
  )
