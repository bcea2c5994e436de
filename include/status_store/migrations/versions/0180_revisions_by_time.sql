-- Which events came with other content on a date: their invoices belong to its population.
CREATE INDEX status_event_revision_by_time ON ropo.status_event_revision (profile, recorded_at);
