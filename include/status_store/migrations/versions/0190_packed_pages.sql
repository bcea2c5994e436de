-- A drain packs the pages it keeps: gzip takes less time than PostgreSQL's own compression, and a fifth less room.
-- Those from before stay as they are; `python -m include.status_store page` writes either as it came.
ALTER TABLE ropo.status_page
    ADD COLUMN body_encoding text NOT NULL DEFAULT 'identity' CHECK (body_encoding IN ('identity', 'gzip')),
    ADD CHECK (body_encoding = 'identity' OR size IS NOT NULL);
