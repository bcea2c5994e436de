-- Which events of the date a re-read did not show: their statusids as hashes; of many, one hash of all.
ALTER TABLE ropo.status_poll ADD COLUMN absent_ids int8multirange;
-- Halved: a range cannot end after the largest number.
CREATE FUNCTION ropo.id_range(id text) RETURNS int8range LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN int8range(hashtextextended(id, 0) >> 1, hashtextextended(id, 0) >> 1, '[]');

-- The name that the invoice of a resolved break goes by since, where that is why it is resolved.
ALTER TABLE ropo.reconciliation_break ADD COLUMN renamed_to text;
UPDATE ropo.reconciliation_break AS known
SET renamed_to = newest.renamed_to
FROM (
    SELECT DISTINCT ON (break_id) break_id, substring(note FROM '^the invoice is known as (.*) now$') AS renamed_to
    FROM ropo.reconciliation_break_event
    WHERE kind = 'resolved'
    ORDER BY break_id, event_id DESC
) AS newest
WHERE newest.break_id = known.break_id AND known.state = 'resolved' AND newest.renamed_to IS NOT NULL;
CREATE INDEX reconciliation_break_renamed ON ropo.reconciliation_break (profile, renamed_to) WHERE renamed_to IS NOT NULL;

-- Pages whose events are not in the store: they could not be parsed, or their process ended before. What came after the
-- newest 204 may be in a drain's hand still; not so what came a quarter of an hour ago (LEFT_OPEN_AFTER in journal.py).
CREATE OR REPLACE VIEW ropo.page_to_replay AS
SELECT poll.profile, page.poll_id, page.received_at, page.parse_error
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.complete AND page.parsed_at IS NULL
  AND (
      page.parse_error IS NOT NULL
      OR page.received_at < clock_timestamp() - interval '15 minutes'
      OR EXISTS (
          SELECT FROM ropo.status_poll AS later
          WHERE later.profile = poll.profile AND later.kind = 'drain' AND later.outcome = 'empty'
            AND later.poll_id > page.poll_id
      )
  );
