-- What was asked of Ropo One beside the re-read of a date, and what that proved.

-- Of a date answer that was possibly cut: whether it could be shown complete, and why or why not.
ALTER TABLE ropo.status_poll
    ADD COLUMN shown_complete boolean,
    ADD COLUMN completeness text,
    ADD CHECK (shown_complete IS NULL OR (possibly_cut AND completeness IS NOT NULL));

ALTER TABLE ropo.reconciliation
    ADD COLUMN second_opinions_asked integer NOT NULL DEFAULT 0,     -- breaking invoices that Ropo was asked about again
    ADD COLUMN second_opinions_cleared integer NOT NULL DEFAULT 0,   -- of them: what that brought made them match
    ADD COLUMN second_opinions_note text,                            -- why fewer were asked than should have been
    ADD CHECK (second_opinions_cleared BETWEEN 0 AND second_opinions_asked);

-- The first drain poll that showed an event which another kind of poll had brought; one that a drain brought needs none.
ALTER TABLE ropo.status_event ADD COLUMN drained_poll_id bigint REFERENCES ropo.status_poll (poll_id);
CREATE INDEX status_event_undrained ON ropo.status_event (profile, statustime)
    WHERE source <> 'drain' AND drained_poll_id IS NULL;

-- Changes that the queue never handed to us though it was drained empty: another consumer takes from it.
CREATE TABLE ropo.undrained_event (
    profile text NOT NULL,
    statusid text NOT NULL,
    shown_by_poll_id bigint NOT NULL REFERENCES ropo.status_poll (poll_id),
    empty_poll_id bigint NOT NULL REFERENCES ropo.status_poll (poll_id),   -- the 204 after which it was still undrained
    noticed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (profile, statusid),
    FOREIGN KEY (profile, statusid) REFERENCES ropo.status_event
);
CREATE INDEX undrained_event_by_time ON ropo.undrained_event (profile, noticed_at);
