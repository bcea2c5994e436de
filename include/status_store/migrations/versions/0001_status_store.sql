-- A profile belongs to one queue for good: the pair is pinned at its first poll.
CREATE TABLE ropo.profile_pin (
    profile text PRIMARY KEY,
    host text NOT NULL,
    cid text NOT NULL,
    pinned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT profile_pin_one_profile_per_queue UNIQUE (host, cid)
);

-- The journal: one row a GET, committed before the request leaves.
CREATE TABLE ropo.status_poll (
    poll_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('drain', 'date', 'billnum')),
    filter_value text,
    outcome text NOT NULL DEFAULT 'open'
        CHECK (outcome IN ('open', 'landed', 'empty', 'unsent', 'refused', 'in_doubt')),
    http_status integer,
    row_count integer,
    new_count integer,            -- events that this poll brought first
    revised_count integer,        -- events that it showed with other content
    quarantined_count integer,
    possibly_cut boolean,         -- a date answer of exactly the profile's cap
    absent_count integer,         -- events held for the date that the answer did not show
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    error text,
    -- A drain poll's business dates, should it end in doubt. Its start is stored when it is opened.
    window_from date,
    window_to date,
    bounded boolean NOT NULL DEFAULT false,   -- no 204 before it: the window starts at the profile's start_date
    recovery text CHECK (recovery IN ('pending', 'recovered', 'unproven', 'accepted')),
    recovery_reason text,
    recovered_count integer,      -- events that the re-reads of its window brought
    recovered_at timestamptz,
    accepted_by text,
    accepted_note text,
    dag_id text,
    run_id text,
    CHECK ((kind = 'drain') = (filter_value IS NULL)),
    CHECK ((outcome = 'open') = (closed_at IS NULL)),
    CHECK (kind <> 'drain' OR window_from IS NOT NULL),
    CHECK ((recovery IS NULL) = (kind <> 'drain' OR outcome <> 'in_doubt')),
    CHECK (recovery IS NULL OR window_to IS NOT NULL)
);
CREATE INDEX status_poll_by_time ON ropo.status_poll (profile, opened_at);
CREATE INDEX status_poll_by_filter ON ropo.status_poll (profile, kind, filter_value, poll_id) WHERE kind <> 'drain';
CREATE INDEX status_poll_open ON ropo.status_poll (profile) WHERE outcome = 'open';
CREATE INDEX status_poll_empty ON ropo.status_poll (profile, poll_id) WHERE kind = 'drain' AND outcome = 'empty';
CREATE INDEX status_poll_in_doubt ON ropo.status_poll (profile, window_to) WHERE recovery IS NOT NULL;

-- The dates of a doubtful poll's window that re-reads have shown, or could not show.
CREATE TABLE ropo.status_poll_window_date (
    poll_id bigint NOT NULL REFERENCES ropo.status_poll,
    business_date date NOT NULL,
    reread_poll_id bigint REFERENCES ropo.status_poll (poll_id),
    ticked_at timestamptz,        -- null: asked, and not shown whole
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    brought integer NOT NULL DEFAULT 0,
    reason text,
    PRIMARY KEY (poll_id, business_date)
);

-- Raw answers, byte for byte. `complete` is false for what came of an answer that was cut or is not the queue's JSON.
CREATE TABLE ropo.status_page (
    poll_id bigint PRIMARY KEY REFERENCES ropo.status_poll,
    body bytea NOT NULL,
    content_type text,
    sha256 bytea NOT NULL,
    received_at timestamptz NOT NULL,
    complete boolean NOT NULL,
    parsed_at timestamptz,
    parse_error text
);
CREATE INDEX status_page_unparsed ON ropo.status_page (poll_id) WHERE complete AND parsed_at IS NULL;

CREATE TABLE ropo.status_event (
    profile text NOT NULL,
    statusid text NOT NULL,
    jobid text,
    billnum text,
    statustype text NOT NULL,
    statustime timestamp NOT NULL,   -- the market's wall clock, as Ropo writes it
    statuscode text NOT NULL,
    statusref text NOT NULL,
    statustext text NOT NULL,
    paydate date,
    amount numeric,
    raw jsonb NOT NULL,
    source text NOT NULL CHECK (source IN ('drain', 'date', 'billnum')),
    first_poll_id bigint NOT NULL REFERENCES ropo.status_poll (poll_id),
    first_seen_at timestamptz NOT NULL,
    content_poll_id bigint NOT NULL,          -- the poll whose content counts now
    content_sha256 bytea NOT NULL,            -- of the ten known fields as trimmed strings
    PRIMARY KEY (profile, statusid),
    CHECK (jobid IS NOT NULL OR billnum IS NOT NULL)
);
CREATE INDEX status_event_by_day ON ropo.status_event (profile, statustime);
CREATE INDEX status_event_by_first_seen ON ropo.status_event (profile, first_seen_at);
CREATE INDEX status_event_by_jobid ON ropo.status_event (profile, jobid);
CREATE INDEX status_event_by_billnum ON ropo.status_event (profile, billnum);

-- What an event said when it said something else: its other contents, in the order in which they were seen.
CREATE TABLE ropo.status_event_revision (
    profile text NOT NULL,
    statusid text NOT NULL,
    revision integer NOT NULL,
    content_sha256 bytea NOT NULL,
    raw jsonb NOT NULL,
    poll_id bigint NOT NULL REFERENCES ropo.status_poll,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (profile, statusid, revision),
    FOREIGN KEY (profile, statusid) REFERENCES ropo.status_event
);

-- Rows that could not be taken as events. The same row seen again only counts up.
CREATE TABLE ropo.status_quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile text NOT NULL,
    poll_id bigint NOT NULL REFERENCES ropo.status_poll,
    ordinal integer NOT NULL,     -- place in its answer, from 0
    raw bytea NOT NULL,           -- bytes: it may be no valid text
    sha256 bytea NOT NULL,
    error text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    times_seen integer NOT NULL DEFAULT 1,
    resolved_at timestamptz,      -- taken by a later parser, or dismissed by a person
    resolution text,
    UNIQUE (profile, sha256)
);
CREATE INDEX status_quarantine_open ON ropo.status_quarantine (profile) WHERE resolved_at IS NULL;
