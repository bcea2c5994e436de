"""Replay: pages and rows that could not be parsed when they came, taken up again by the parser of today."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec
import psycopg2

from include.status_store.batches import Batches
from include.status_store.envelope import split_rows
from include.status_store.event_writing import mark_drained, store_events
from include.status_store.journal import Kind
from include.status_store.page_body import unpack
from include.status_store.page_events import ALREADY_STORED, parse_page, store_page
from include.status_store.parsing import parse_rows
from include.status_store.rows import only_row, structs
from include.status_store.session import may_pass

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.event import Stored
    from include.status_store.session import Session

logger = logging.getLogger(__name__)

_PAGES = """
SELECT page.poll_id
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.complete AND page.parsed_at IS NULL AND poll.profile = %s AND page.poll_id > %s
ORDER BY page.poll_id
"""
# Not locked: where another session stores the page at once, the mark at its end tells which of them was first.
_PAGE = """
SELECT page.body, page.body_encoding, poll.kind
FROM ropo.status_page AS page
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE page.poll_id = %s AND page.parsed_at IS NULL
"""
_QUARANTINED = """
SELECT bad.quarantine_id, bad.raw, bad.equal_rows, bad.poll_id, poll.kind, bad.drained_poll_id
FROM ropo.status_quarantine AS bad
JOIN ropo.status_poll AS poll USING (poll_id)
WHERE bad.profile = %s AND bad.resolved_at IS NULL AND bad.quarantine_id > %s
ORDER BY bad.quarantine_id
LIMIT %s
"""
# Rows in memory at a time.
_ROWS_A_READING = 500
_ROWS_AFTER = """
SELECT count(*) FROM ropo.status_quarantine WHERE profile = %s AND resolved_at IS NULL AND quarantine_id > %s
"""
_RESOLVE = """
UPDATE ropo.status_quarantine SET resolved_at = clock_timestamp(), resolution = %s
WHERE quarantine_id = %s AND resolved_at IS NULL
"""
# Its pages now bear on the event's date too, and on that of today: retention looks at them anew.
_DATE_ANEW = """
UPDATE ropo.status_page SET touched_dates = NULL, parsed_at = clock_timestamp()
WHERE poll_id = ANY (%s) AND parsed_at IS NOT NULL AND removed_at IS NULL
"""


class ReplaySummary(msgspec.Struct, kw_only=True):
    """What a replay did, in counts.

    :param pages: unparsed pages taken now; ``pages_left``: those that still cannot be.
    :param rows: quarantined rows taken as events now; ``rows_left``: those that still cannot be.
    :param untried: pages and rows that the time did not suffice for.
    :param after_page: and ``after_row``: behind which the next replay goes on with what is untried; 0 where nothing is.
    """

    pages: int = 0
    pages_left: int = 0
    rows: int = 0
    rows_left: int = 0
    new: int = 0
    untried: int = 0
    after_page: int = 0
    after_row: int = 0


class _Row(msgspec.Struct, frozen=True):
    """A row in quarantine.

    :param equal_rows: how many such rows one answer had at most.
    :param kind: of the poll that brought it first; ``drained_poll_id``: the first one of a drain that showed it.
    """

    quarantine_id: int
    raw: memoryview
    equal_rows: int
    poll_id: int
    kind: Kind
    drained_poll_id: int | None


class _StillRefusedError(Exception):
    """PostgreSQL refuses the row today as it did when it came."""


def replay(
    session: Session,
    profile: Profile,
    *,
    max_seconds: float | None = None,
    after_page: int = 0,
    after_row: int = 0,
) -> ReplaySummary:
    """Parse again what waits: one transaction a page, one a row. Content that is held from a later poll stays.

    :param max_seconds: after which no other page or row is begun; one is tried in any case. None: all are.
    :param after_page: and ``after_row``: where an earlier replay stopped (its summary says so). What still cannot be
        parsed would else be tried first again and again, and the rest never.
    """
    summary = ReplaySummary()
    deadline = None if max_seconds is None else time.monotonic() + max_seconds

    def is_over() -> bool:
        return deadline is not None and time.monotonic() >= deadline

    with session.transaction() as cursor:
        cursor.execute(_PAGES, (profile.name, after_page))
        poll_ids = [poll_id for (poll_id,) in cursor.fetchall()]
    for place, poll_id in enumerate(poll_ids, start=1):
        stored = replay_page(session, profile, poll_id)
        summary.pages += stored is not None
        summary.pages_left += stored is None
        summary.new += stored.new if stored else 0
        if is_over():
            return _stopped(session, profile, summary, len(poll_ids) - place, poll_id, after_row)
    after_page = poll_ids[-1] if poll_ids else after_page
    while waiting := _next_rows(session, profile, after_row):
        for row in waiting:
            stored = _replay_row(session, profile, row)
            summary.rows += stored is not None
            summary.rows_left += stored is None
            summary.new += stored.new if stored else 0
            after_row = row.quarantine_id
            if is_over():
                return _stopped(session, profile, summary, 0, after_page, after_row)
    return summary


def _next_rows(session: Session, profile: Profile, after_row: int) -> list[_Row]:
    with session.transaction() as cursor:
        cursor.execute(_QUARANTINED, (profile.name, after_row, _ROWS_A_READING))
        return structs(cursor, _Row)


def _stopped(
    session: Session, profile: Profile, summary: ReplaySummary, pages: int, after_page: int, after_row: int
) -> ReplaySummary:
    """Say what is untried, and where to go on; nothing where it was just done with the last."""
    with session.transaction() as cursor:
        cursor.execute(_ROWS_AFTER, (profile.name, after_row))
        (rows,) = only_row(cursor)
    summary.untried = pages + rows
    if summary.untried:
        summary.after_page, summary.after_row = after_page, after_row
    return summary


def replay_page(session: Session, profile: Profile, poll_id: int) -> Stored | None:
    """Parse a kept page again and store its events.

    :return: :data:`.page_events.ALREADY_STORED` where another session has done it; None where it still cannot be
        parsed, and waits on.
    """

    def work(cursor: Cursor) -> Stored | None:
        cursor.execute(_PAGE, (poll_id,))
        found = cursor.fetchone()
        if found is None:
            return ALREADY_STORED
        held, encoding, kind = found
        try:
            body = unpack(held, encoding)
            parsed = parse_page(split_rows(body), profile, poll_id=poll_id, kind=kind)
        except Exception as error:  # noqa: BLE001 - a damaged page is left, and must not keep the others from the store
            body, parsed = b"", error
        return store_page(cursor, profile, parsed, poll_id=poll_id, kind=kind, body=body)

    return session.insist(work)


def _replay_row(session: Session, profile: Profile, row: _Row) -> Stored | None:
    # As they were in one answer: without a statusid each of them is an event of its own.
    parsed = parse_rows([bytes(row.raw)] * row.equal_rows, profile.zone)
    if parsed.rejected:
        return None
    places = {statusid: place for place, statusid in enumerate(parsed.events.statusids)}
    events = parsed.events.pick([*places.values()])
    try:
        with session.transaction() as cursor:
            batches = Batches(events, profile=profile.name, kind=row.kind, poll_id=row.poll_id)
            stored = store_events(cursor, batches, [], profile=profile, poll_id=row.poll_id, kind=row.kind)
            if stored.quarantined:
                raise _StillRefusedError
            if row.drained_poll_id is not None:
                mark_drained(cursor, profile.name, row.drained_poll_id, events.statusids)
            cursor.execute(_RESOLVE, ("taken as an event by a replay", row.quarantine_id))
            cursor.execute(_DATE_ANEW, ([row.poll_id, row.drained_poll_id],))
            return stored
    except _StillRefusedError:
        return None
    except psycopg2.Error as error:
        if may_pass(error):
            raise
        logger.warning("Row %s in quarantine: the store does not take it (%s)", row.quarantine_id, type(error).__name__)
        return None
