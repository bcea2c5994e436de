-- A ledger row has no key of its own. It is kept from the first batch that named its jobid or its billnum, so that one
-- row that is found twice stays one row, and two equal rows stay two.
DELETE FROM ledger_row AS booked
WHERE booked.batch = %(batch)s
    AND (
        EXISTS (
            SELECT FROM found_key AS key
            WHERE key.kind = 'jobid' AND key.value = booked.jobid AND key.ledger_batch < %(batch)s
        )
        OR EXISTS (
            SELECT FROM found_key AS key
            WHERE key.kind = 'billnum' AND key.value = booked.billnum AND key.ledger_batch < %(batch)s
        )
    );

INSERT INTO found_key (kind, value)
SELECT 'jobid', jobid FROM ledger_row WHERE batch = %(batch)s AND jobid IS NOT NULL
UNION
SELECT 'billnum', billnum FROM ledger_row WHERE batch = %(batch)s
ON CONFLICT DO NOTHING
