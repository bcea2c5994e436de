INSERT INTO found_key (kind, value)
SELECT 'jobid', jobid FROM named_invoice WHERE is_seed AND jobid IS NOT NULL
UNION
SELECT 'billnum', billnum FROM named_invoice WHERE is_seed AND billnum IS NOT NULL
ON CONFLICT DO NOTHING
