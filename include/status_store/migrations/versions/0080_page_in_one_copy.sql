-- A page's events go in by COPY: what an INSERT computed for each row is the columns' default or checked once a page.

ALTER TABLE ropo.status_event ALTER COLUMN first_seen_at SET DEFAULT now();
ALTER TABLE ropo.status_page ALTER COLUMN received_at SET DEFAULT clock_timestamp();

-- A look-up of the journal for each event was a fifth of a page's time. The poll's own row is locked in the page's
-- transaction, and from here on no row of the journal can go away, so that a reference to it stays right.
ALTER TABLE ropo.status_event DROP CONSTRAINT status_event_first_poll_id_fkey;
CREATE TRIGGER status_poll_is_never_deleted
    BEFORE DELETE ON ropo.status_poll
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();
