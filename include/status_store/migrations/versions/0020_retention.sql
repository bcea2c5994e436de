-- A page keeps its journal row, its hash and its size when its body goes.
ALTER TABLE ropo.status_page
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN size bigint,                               -- bytes of the body as it came; null while it stands so
    ADD COLUMN touched_dates date[],                      -- business dates that it bears on; null: not looked at yet
    ADD COLUMN has_texts boolean NOT NULL DEFAULT true,   -- false once the free texts of all its rows are erased
    ADD COLUMN redacted_at timestamptz,                   -- texts of some of its rows, or of all, were erased then
    ADD COLUMN removed_at timestamptz,
    ADD CHECK ((body IS NULL) = (removed_at IS NOT NULL)),
    ADD CHECK (size IS NOT NULL OR (redacted_at IS NULL AND removed_at IS NULL)),
    -- Whoever erases must not lose a row that waits for a replay.
    ADD CHECK (NOT complete OR parsed_at IS NOT NULL OR (redacted_at IS NULL AND removed_at IS NULL));

-- Set: the event's free texts are gone, and a re-read does not bring them back.
ALTER TABLE ropo.status_event ADD COLUMN erased_at timestamptz;
ALTER TABLE ropo.status_quarantine
    ADD COLUMN erased_at timestamptz,
    ADD CHECK (erased_at IS NULL OR resolved_at IS NOT NULL);

-- Who erased free texts, when, why and how many; a row for each transaction of an erasure, and never a text.
CREATE TABLE ropo.text_erasure (
    erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('age', 'invoice')),
    billnum text,
    older_than date,              -- business date; texts of earlier ones were erased
    erased_by text NOT NULL,
    note text NOT NULL,
    events integer NOT NULL,
    revisions integer NOT NULL,
    quarantined integer NOT NULL,
    pages integer NOT NULL,       -- raw answers of which texts, or all that came, were erased
    labels integer NOT NULL,      -- reconciliations whose labels of unmapped codes were erased
    erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((reason = 'invoice') = (billnum IS NOT NULL)),
    CHECK ((reason = 'age') = (older_than IS NOT NULL))
);
CREATE INDEX text_erasure_by_profile ON ropo.text_erasure (profile, erasure_id);

CREATE FUNCTION ropo.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER text_erasure_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ropo.text_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION ropo.refuse_change();
