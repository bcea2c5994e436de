"""Replay: pages and rows that could not be parsed when they came, taken up again by the parser of today."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from include.status_store.envelope import split_rows
from include.status_store.events import Stored, store_rows
from include.status_store.landing import mark_unparsed
from include.status_store.parsing import parse_rows
from include.status_store.session import may_pass
from include.status_store.texts import withhold_erased

if TYPE_CHECKING:
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
_COUNT = """
UPDATE ropo.status_poll
SET new_count = %(new)s, revised_count = %(revised)s, quarantined_count = %(quarantined)s
WHERE poll_id = %(poll_id)s
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
        stored = _replay_page(session, profile, poll_id)
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


def _replay_page(session: Session, profile: Profile, poll_id: int) -> Stored | None:
    try:
        with session.transaction() as cursor:
            cursor.execute(_PAGE, (poll_id,))
            found = cursor.fetchone()
            if found is None:  # another replay took it in the meantime
                return Stored()
            body, kind = found
            parsed = parse_rows(split_rows(bytes(body)), profile.zone)
            stored = store_rows(cursor, parsed, profile=profile.name, poll_id=poll_id, kind=kind)
            cursor.execute(_COUNT, {"poll_id": poll_id, **msgspec.structs.asdict(stored)})
            cursor.execute(
                "UPDATE ropo.status_page SET parsed_at = clock_timestamp(), parse_error = NULL WHERE poll_id = %s",
                (poll_id,),
            )
            withhold_erased(cursor, profile, parsed, stored, poll_id=poll_id, body=bytes(body))
            return stored
    except Exception as error:
        if may_pass(error):
            raise
        # The page stays as it is, with the reason of this time.
        with session.transaction() as cursor:
            mark_unparsed(cursor, poll_id, error)
        return None


def _replay_row(
    session: Session, profile: Profile, quarantine_id: int, raw: bytes, poll_id: int, kind: Kind
) -> Stored | None:
    parsed = parse_rows([raw], profile.zone)
    if parsed.rejected:
        return None
    try:
        with session.transaction() as cursor:
            stored = store_rows(cursor, parsed, profile=profile.name, poll_id=poll_id, kind=kind)
            if stored.quarantined:
                raise _StillRefusedError
            cursor.execute(_RESOLVE, ("taken as an event by a replay", quarantine_id))
            return stored
    except _StillRefusedError:
        return None
