-- A look-up of the reconciliation for each of its items was a fifth of the time that recording them takes. Items are written
-- in the transaction that makes their reconciliation, by its own id, and from here on none can go away, so that a reference to
-- it stays right.
ALTER TABLE ropo.reconciliation_item DROP CONSTRAINT reconciliation_item_reconciliation_id_fkey;
CREATE TRIGGER reconciliation_is_never_deleted
    BEFORE DELETE OR TRUNCATE ON ropo.reconciliation
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();
