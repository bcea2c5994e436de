UPDATE found_key
SET ledger_batch = %(batch)s
WHERE ctid IN (SELECT ctid FROM found_key WHERE ledger_batch IS NULL LIMIT %(size)s)
RETURNING kind, value
