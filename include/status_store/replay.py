"""Replay: pages and rows that could not be parsed when they came, taken up again by the parser of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from include.status_store.batches import Batches
from include.status_store.envelope import split_rows
from include.status_store.events import Stored, store_events
from include.status_store.page_events import parse_page, store_page
from include.status_store.parsing import parse_rows

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.journal import Kind
    from include.status_store.session import Session

_PAGES = """
SELECT page.poll_id
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.complete AND page.parsed_at IS NULL AND poll.profile = %s
ORDER BY page.poll_id
"""
_PAGE = """
SELECT page.body, poll.kind
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.poll_id = %s AND page.parsed_at IS NULL
FOR UPDATE OF page
"""
_QUARANTINED = """
SELECT bad.quarantine_id, bad.raw, bad.poll_id, poll.kind
FROM ropo.status_quarantine AS bad
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE bad.profile = %s AND bad.resolved_at IS NULL
ORDER BY bad.quarantine_id
"""
_RESOLVE = """
UPDATE ropo.status_quarantine SET resolved_at = clock_timestamp(), resolution = %s
WHERE quarantine_id = %s AND resolved_at IS NULL
"""


class ReplaySummary(msgspec.Struct, kw_only=True):
    """What a replay did, in counts.

    :param pages: unparsed pages taken now; ``pages_left``: those that still cannot be.
    :param rows: quarantined rows taken as events now; ``rows_left``: those that still cannot be.
    """

    pages: int = 0
    pages_left: int = 0
    rows: int = 0
    rows_left: int = 0
    new: int = 0


class _StillRefusedError(Exception):
    """PostgreSQL refuses the row today as it did when it came."""


def replay(session: Session, profile: Profile) -> ReplaySummary:
    """Parse again what waits: one transaction a page, one a row. Content that is held from a later poll stays."""
    summary = ReplaySummary()
    with session.transaction() as cursor:
        cursor.execute(_PAGES, (profile.name,))
        poll_ids = [poll_id for (poll_id,) in cursor.fetchall()]
    for poll_id in poll_ids:
        stored = replay_page(session, profile, poll_id)
        summary.pages += stored is not None
        summary.pages_left += stored is None
        summary.new += stored.new if stored else 0
    with session.transaction() as cursor:
        cursor.execute(_QUARANTINED, (profile.name,))
        waiting = cursor.fetchall()
    for quarantine_id, raw, poll_id, kind in waiting:
        stored = _replay_row(session, profile, quarantine_id, bytes(raw), poll_id, kind)
        summary.rows += stored is not None
        summary.rows_left += stored is None
        summary.new += stored.new if stored else 0
    return summary


def replay_page(session: Session, profile: Profile, poll_id: int) -> Stored | None:
    """Parse a kept page again and store its events.

    :return: nothing where another session has done it; None where it still cannot be parsed, and waits on.
    """

    def work(cursor: Cursor) -> Stored | None:
        cursor.execute(_PAGE, (poll_id,))
        found = cursor.fetchone()
        if found is None:
            return Stored()
        body, kind = bytes(found[0]), found[1]
        parsed = parse_page(split_rows(body), profile, poll_id=poll_id, kind=kind)
        return store_page(cursor, profile, parsed, poll_id=poll_id, kind=kind, body=body)

    return session.insist(work)


def _replay_row(
    session: Session, profile: Profile, quarantine_id: int, raw: bytes, poll_id: int, kind: Kind
) -> Stored | None:
    parsed = parse_rows([raw], profile.zone)
    if parsed.rejected:
        return None
    try:
        with session.transaction() as cursor:
            batches = Batches(parsed.events, profile=profile.name, kind=kind, poll_id=poll_id)
            stored = store_events(cursor, batches, [], profile=profile.name, poll_id=poll_id, kind=kind)
            if stored.quarantined:
                raise _StillRefusedError
            cursor.execute(_RESOLVE, ("taken as an event by a replay", quarantine_id))
            return stored
    except _StillRefusedError:
        return None
