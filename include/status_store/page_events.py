"""The events of a page that is kept: stored with its counts, or left for a later drain or a replay."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
import psycopg2

from include.status_store.batches import Batch, Batches
from include.status_store.event import ParsedPage, Stored
from include.status_store.event_days import NOTE_DAYS, noted
from include.status_store.event_writing import store_events, store_new_events
from include.status_store.parsing import parse_rows
from include.status_store.session import may_pass
from include.status_store.texts import BESIDE_ERASURES, erasures_key, withhold_erased

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.journal import Kind

logger = logging.getLogger(__name__)

_BEGIN = f"{BESIDE_ERASURES}SAVEPOINT parsing"
# A commit that a crash of PostgreSQL may take back, with everything in it: the page is parsed again then.
_NOT_WAITED_FOR = "SET LOCAL synchronous_commit = off; "
# One session of several at once finds the page unparsed here; the others have waited for it at the page's row.
_PARSED = """
WITH parsed AS (
    UPDATE ropo.status_page SET parsed_at = clock_timestamp(), parse_error = NULL
    WHERE poll_id = %(poll_id)s AND parsed_at IS NULL
    RETURNING poll_id
)
UPDATE ropo.status_poll AS poll
SET new_count = %(new)s, revised_count = %(revised)s, quarantined_count = %(quarantined)s
FROM parsed
WHERE poll.poll_id = parsed.poll_id
"""
_BACK = "ROLLBACK TO SAVEPOINT parsing"
_LEAVE = "UPDATE ropo.status_page SET parse_error = %s WHERE poll_id = %s AND parsed_at IS NULL"


# What storing a page comes to where another session, or a commit whose answer was lost, has stored it.
ALREADY_STORED = Stored()


class NeedsALookError(Exception):
    """A page cannot be stored as one of new events alone."""


class Parsed(msgspec.Struct, frozen=True):
    """A page's rows, parsed and made ready for the store.

    :param batches: the events of ``page``.
    """

    page: ParsedPage
    batches: Iterable[Batch]


def parse_page(
    rows: Iterable[bytes], profile: Profile, *, poll_id: int, kind: Kind, ready: bool = False
) -> Parsed | Exception:
    """Parse a page's rows; whatever our parser's fault is, it is returned: the page itself must land.

    :param ready: whether all batches are made here, for a page of few; else bit by bit as they are stored.
    """
    try:
        page = parse_rows(rows, profile.zone)
        batches = Batches(page.events, profile=profile.name, kind=kind, poll_id=poll_id)
        return Parsed(page, [batch.make_ready() for batch in batches] if ready else batches)
    except Exception as error:  # noqa: BLE001 - see above
        return error


def store_new_page(cursor: Cursor, profile: Profile, parsed: Parsed, *, poll_id: int) -> Stored:
    """Store the events of a page that is on disk, where each is new: no look, no savepoint, and no wait for the disk.

    :param parsed: without rejected rows.
    :raises NeedsALookError: if that does not do, as when one is not new or another session has stored the page.
        The transaction is of no use any more then, and :func:`store_page` is for the page.
    :raises psycopg2.Error: if the store may take them a moment later.
    """
    try:
        stored = store_new_events(cursor, parsed.batches)
        days = frozenset[str]().union(*(batch.days for batch in parsed.batches))
        values = {"poll_id": poll_id, **msgspec.structs.asdict(stored), **noted(profile.name, days)}
        cursor.execute(_NOT_WAITED_FOR + NOTE_DAYS + _PARSED, values)
    except Exception as error:
        if may_pass(error):
            raise
        if not isinstance(error, psycopg2.errors.UniqueViolation):
            logger.warning("Poll %s: its events are stored by another way (%s)", poll_id, type(error).__name__)
        raise NeedsALookError from None
    if not cursor.rowcount:
        raise NeedsALookError
    return stored


def store_page(
    cursor: Cursor,
    profile: Profile,
    parsed: Parsed | Exception,
    *,
    poll_id: int,
    kind: Kind,
    body: bytes,
    wait_for_disk: bool = True,
) -> Stored | None:
    """Store the events of a page that is kept, in the transaction of ``cursor``.

    :param parsed: what :func:`parse_page` returned for the rows of ``body``.
    :param wait_for_disk: whether the commit is to wait until it is on disk; not where the page already is.
    :return: what they came to; :data:`ALREADY_STORED`; None where they are left for a replay.
    :raises psycopg2.Error: if the store may take them a moment later.
    """
    begin = _BEGIN if wait_for_disk else _NOT_WAITED_FOR + _BEGIN
    cursor.execute(begin, {"erasures": erasures_key(profile.name)})
    if isinstance(parsed, Exception):
        _leave(cursor, poll_id, parsed)
        return None
    page = parsed.page
    try:
        stored = store_events(cursor, parsed.batches, page.rejected, profile=profile, poll_id=poll_id, kind=kind)
        cursor.execute(_PARSED, {"poll_id": poll_id, **msgspec.structs.asdict(stored)})
        if not cursor.rowcount:
            cursor.execute(_BACK)
            return ALREADY_STORED
        withhold_erased(cursor, profile, page, stored, poll_id=poll_id, body=body)
    except Exception as error:
        if may_pass(error):
            raise
        _leave(cursor, poll_id, error)
        return None
    return stored


def _leave(cursor: Cursor, poll_id: int, error: Exception) -> None:
    """Write that a page waits for what can take it, and why. The class only: the message may quote a row."""
    logger.error("Poll %s: its page is kept, but could not be parsed (%s)", poll_id, type(error).__name__)
    cursor.execute(f"{_BACK}; {_LEAVE}", (type(error).__name__, poll_id))
