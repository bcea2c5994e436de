-- The latest reconciliation of each date of each profile, and whether it began when its date was over: read from the index
-- alone, since the page about all profiles looks at every date of each of them.
DROP INDEX ropo.reconciliation_latest;
CREATE INDEX reconciliation_latest ON ropo.reconciliation (profile, business_date, reconciliation_id)
    INCLUDE (scope, verdict, breaks, accepted, started_at);
-- A profile's newest reconciliation. Without it those of every profile are gone through, where one has none of late.
CREATE INDEX reconciliation_newest ON ropo.reconciliation (profile, reconciliation_id);
