-- The breaks to ask Ropo One about again: those that nobody has asked about first, then by the amount at stake (of each in
-- its own currency; nothing is summed). Only where Ropo's word can change the result: what the ledger's rows alone decide
-- stays as it is, whatever Ropo says.
SELECT comparison.billnum
FROM comparison
JOIN part USING (invoice_key)
LEFT JOIN LATERAL (
    SELECT max(poll.opened_at) AS asked_at
    FROM ropo.status_poll AS poll
    WHERE poll.profile = %(profile)s AND poll.kind = 'billnum' AND poll.filter_value = comparison.billnum
      AND poll.outcome IN ('landed', 'empty')
) AS asked ON true
LEFT JOIN ropo.reconciliation_break AS known
    ON known.profile = %(profile)s AND known.invoice_key = comparison.invoice_key
    AND known.category = comparison.category AND known.state = 'open'
WHERE comparison.pending_until IS NULL
  AND comparison.billnum IS NOT NULL
  AND NOT comparison.is_accepted
  AND CASE comparison.category
      WHEN 'matched' THEN false
      -- A row in quarantine comes as it came before; a payment may now have its amount.
      WHEN 'unparseable' THEN comparison.reason = 'payment_without_amount'
      -- The ledger's own rows and keys.
      WHEN 'duplicate_in_ledger' THEN false
      WHEN 'ambiguous_match' THEN false
      -- Ropo does not take back that it spoke of an invoice; but it may name the jobid by which the ledger has it.
      WHEN 'missing_in_ledger' THEN comparison.jobid IS NULL
      WHEN 'missing_in_ropo' THEN true
      -- A newer code may be a known one. A payment's type, and the ledger's word, stay unknown.
      WHEN 'unknown_status' THEN comparison.reason = 'code'
      -- The ledger's amounts among themselves; only where it keeps no discounts do Ropo's stand in the sum.
      WHEN 'ledger_inconsistent' THEN comparison.ledger_discount IS NULL
      WHEN 'status_conflict' THEN true
      WHEN 'ledger_behind' THEN true       -- a payment reversed since, or a job sent again
      WHEN 'ledger_ahead' THEN true
      WHEN 'amount_mismatch' THEN true
  END
  -- Once is enough for the runs of half a day, and once a week for a break that stands open already: the drain brings what
  -- is said later, and single checks are what Ropo allows, not mass queries.
  AND (
      asked.asked_at IS NULL
      OR asked.asked_at < clock_timestamp() - CASE
          WHEN known.break_id IS NULL THEN interval '12 hours' ELSE interval '7 days'
      END
  )
GROUP BY comparison.billnum
ORDER BY
    max(asked.asked_at) IS NOT NULL,
    -- What the sides differ by; where they agree on money, what is open.
    max(
        ropo.amount_at_stake(
            ropo_paid, ropo_discount, ledger_paid, ledger_discount, ledger_total, ledger_credited, ledger_open
        )
    ) DESC,
    comparison.billnum COLLATE "C"
LIMIT %(limit)s
