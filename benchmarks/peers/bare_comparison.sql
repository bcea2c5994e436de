-- Each invoice's state by DISTINCT ON and its money by a sum, then one FULL OUTER JOIN with the ledger: nothing else.
CREATE TEMP TABLE bare_result AS
WITH newest AS (
    SELECT DISTINCT ON (jobid) jobid, billnum, statuscode
    FROM ropo.status_event
    WHERE statustype = 'comment' AND statuscode <> '98'
    ORDER BY jobid, statustime DESC, statusid DESC
), money AS (
    SELECT jobid, sum(amount) FILTER (WHERE statustext = '1') AS paid, sum(amount) FILTER (WHERE statustext = '8') AS discount
    FROM ropo.status_event
    WHERE statustype = 'payment'
    GROUP BY jobid
), ropo AS (
    SELECT jobid, newest.billnum, COALESCE(statuscode = '101' OR money.paid > 0, false) AS is_paid, COALESCE(money.paid, 0) AS paid
    FROM newest
    FULL JOIN money USING (jobid)
), compared AS (
    SELECT
        jobid, ropo.billnum, ropo.paid AS ropo_paid, ledger.paid AS ledger_paid,
        CASE
            WHEN ledger.jobid IS NULL THEN 'missing_in_ledger'
            WHEN ropo.billnum IS NULL THEN 'missing_in_ropo'
            WHEN ropo.is_paid IS DISTINCT FROM (ledger.status = 'paid') THEN 'state'
            WHEN ropo.paid IS DISTINCT FROM ledger.paid THEN 'amount'
            ELSE 'matched'
        END AS category
    FROM ropo
    FULL OUTER JOIN ropo_ledger AS ledger USING (jobid)
)
SELECT * FROM compared WHERE category <> 'matched'
