-- The ids of the accepted breaks that a signature rests on, as it was given.
SELECT ARRAY(SELECT jsonb_array_elements_text(evidence -> 'breaks')::bigint) AS break_ids
FROM ropo.period_sign_off
WHERE sign_off_id = %(sign_off_id)s
