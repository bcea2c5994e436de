-- What of a profile waits for a parser that can read it, or for a person: one row. A reason names a field, and no content.
SELECT
    bad.rows,
    bad.oldest,
    bad.reasons,
    page.pages,
    page.oldest AS oldest_page
FROM (
    SELECT count(*) AS rows, min(first_seen_at) AS oldest, (array_agg(DISTINCT error))[1:3] AS reasons
    FROM ropo.status_quarantine
    WHERE profile = %(profile)s AND resolved_at IS NULL
) AS bad
CROSS JOIN (
    SELECT count(*) AS pages, min(received_at) AS oldest
    FROM ropo.page_to_replay
    WHERE profile = %(profile)s
) AS page
