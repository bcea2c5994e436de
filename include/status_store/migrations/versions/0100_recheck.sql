-- The newest reconciliation of each business date, and when it was last compared, with or without another result.
-- Whoever compares a date takes its row first: two that do so at once come one after the other, and the second starts
-- from what the first has left.
CREATE TABLE ropo.reconciled_date (
    profile text NOT NULL,
    business_date date NOT NULL,
    scope text NOT NULL CHECK (scope IN ('date', 'full')),
    reconciliation_id bigint REFERENCES ropo.reconciliation,   -- null only until the transaction that made the row ends
    status_map_version text NOT NULL,                          -- under which it was last compared
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (profile, business_date, scope)
);
INSERT INTO ropo.reconciled_date (profile, business_date, scope, reconciliation_id, status_map_version, checked_at)
SELECT DISTINCT ON (profile, business_date, scope)
    profile, business_date, scope, reconciliation_id, status_map_version, started_at
FROM ropo.reconciliation
ORDER BY profile, business_date, scope, reconciliation_id DESC;
