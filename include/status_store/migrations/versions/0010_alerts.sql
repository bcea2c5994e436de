-- What people are told of, by what it is about. A matter that ends and comes back is a new one.
CREATE TABLE ropo.alert (
    profile text NOT NULL,
    topic text NOT NULL,          -- see include/watch/topics.py
    subject text NOT NULL,        -- a business date; empty where the topic has one subject a profile
    fingerprint text NOT NULL,    -- of what is told: another one is told at once
    found_at timestamptz NOT NULL,
    told_at timestamptz,
    times_told integer NOT NULL DEFAULT 0,
    ended_at timestamptz,         -- it was looked for again and not found
    PRIMARY KEY (profile, topic, subject),
    CHECK ((told_at IS NULL) = (times_told = 0))
);
