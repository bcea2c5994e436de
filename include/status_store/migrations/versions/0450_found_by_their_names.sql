-- An invoice goes by the number that it bears, and is found by its name: of those alone that go by another name, as all do
-- of which Ropo One has not spoken yet, there is an index by number. One of all was a fifth of what to record an item costs.
DROP INDEX ropo.reconciliation_item_of_billnum;
CREATE INDEX reconciliation_item_of_billnum ON ropo.reconciliation_item (profile, billnum, reconciliation_id)
    WHERE invoice_key <> 'b:' || billnum;

-- The items of a number, by whatever name they go. Each half is read by an index of its own.
CREATE FUNCTION ropo.items_of_number(of_profile text, number text)
RETURNS TABLE (reconciliation_id bigint, invoice_key text, billnum text, jobid text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT item.reconciliation_id, item.invoice_key, item.billnum, item.jobid
    FROM ropo.reconciliation_item AS item
    WHERE item.profile = of_profile AND item.invoice_key = 'b:' || number
    UNION ALL
    SELECT item.reconciliation_id, item.invoice_key, item.billnum, item.jobid
    FROM ropo.reconciliation_item AS item
    WHERE item.profile = of_profile AND item.billnum = number AND item.invoice_key <> 'b:' || item.billnum;
END;
