-- Most items are matched, and an index by category tells nothing of them: all of a reconciliation are one range of it. It was
-- one of four indexes that such an item is written to.
DROP INDEX ropo.reconciliation_item_by_category;
CREATE INDEX reconciliation_item_by_category ON ropo.reconciliation_item (reconciliation_id, category, invoice_key)
    WHERE category <> 'matched';
