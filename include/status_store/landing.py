"""A page into the store: raw answer, events, the poll's outcome and the next poll's journal row in one commit."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from include.status_store.copying import copy_bytes
from include.status_store.events import Stored, store_rows
from include.status_store.journal import Kind
from include.status_store.parsing import parse_rows
from include.status_store.queue_lock import HELD
from include.status_store.session import may_pass
from include.status_store.source import Answer
from include.status_store.texts import withhold_broken, withhold_erased

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from psycopg2.extensions import cursor as Cursor

    from include.status_store.event import ParsedPage
    from include.status_store.journal import Journal
    from include.status_store.queue_lock import QueueLock
    from include.status_store.session import Session
    from include.status_store.source import PollInDoubtError

logger = logging.getLogger(__name__)

_KEEP_BODY = """
COPY ropo.status_page (poll_id, complete, body, content_type, sha256) FROM STDIN (FORMAT binary)
"""
_LOOK = f"SELECT outcome, {HELD} FROM ropo.status_poll WHERE poll_id = %s FOR UPDATE"  # noqa: S608 - a constant
_PARSED = "UPDATE ropo.status_page SET parsed_at = clock_timestamp() WHERE poll_id = %s"
_LANDED = """
UPDATE ropo.status_poll
SET outcome = 'landed', http_status = %(http_status)s, row_count = %(row_count)s, new_count = %(new)s,
    revised_count = %(revised)s, quarantined_count = %(quarantined)s, possibly_cut = %(possibly_cut)s,
    error = NULL, closed_at = clock_timestamp(),
    -- Another drain may have judged it in doubt while the page was in our hand: it is not any more.
    window_to = NULL, recovery = NULL, recovery_reason = NULL, recovered_at = NULL, recovered_count = NULL
WHERE poll_id = %(poll_id)s
"""


class Landed(msgspec.Struct, frozen=True, kw_only=True):
    """A page that the store has.

    :param rows: in the answer.
    :param shown: the statusids of its events; None where the page could not be parsed and waits for a replay.
    :param next_poll_id: the poll opened in the same commit, if one was wanted and the lock is still ours.
    :param lock_lost: the page's backend did not hold the queue's lock (any more).
    """

    rows: int
    stored: Stored
    shown: frozenset[str] | None
    next_poll_id: int | None
    lock_lost: bool


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in hand, its rows split."""

    poll_id: int
    kind: Kind
    answer: Answer
    rows: Sequence[bytes]
    possibly_cut: bool | None = None


class _Attempt:
    """The landing of one page, tried until the store has it."""

    def __init__(
        self, journal: Journal, page: Page, lock: QueueLock | None, helper: Executor, *, open_next: bool
    ) -> None:
        self._journal = journal
        self._page = page
        self._lock = lock
        self._open_next = open_next
        self._helper = helper
        self._parsing: Future[ParsedPage | Exception] | None = None
        self._result: Landed | None = None

    def __call__(self, cursor: Cursor) -> Landed:
        cursor.execute(_LOOK, (self._lock.key if self._lock else None, self._page.poll_id))
        outcome, held = cursor.fetchone() or (None, False)
        lock_lost = self._lock is not None and not held
        if outcome == "landed" and self._result is not None:
            return self._found_landed(cursor, self._result, lock_lost=lock_lost)
        parsing = self._parsing = self._parsing or self._helper.submit(_parse, self._page, self._journal)
        _keep_body(cursor, self._page.poll_id, self._page.answer.body, self._page.answer.content_type, complete=True)
        parsed = parsing.result()
        stored = self._store(cursor, parsed)
        self._close(cursor, stored or Stored())
        next_poll_id = None
        if self._open_next and not lock_lost:
            next_poll_id = self._journal.open(cursor, "drain")
        self._result = Landed(
            rows=len(self._page.rows),
            stored=stored or Stored(),
            shown=None if stored is None else _shown(parsed),
            next_poll_id=next_poll_id,
            lock_lost=lock_lost,
        )
        return self._result

    def _found_landed(self, cursor: Cursor, result: Landed, *, lock_lost: bool) -> Landed:
        """The commit took effect though its answer was lost; so did the next poll's row, whose request never left."""
        if result.next_poll_id is not None and lock_lost:
            error = "the store's session was lost before the request left"
            self._journal.close(cursor, result.next_poll_id, "unsent", error=error)
            return msgspec.structs.replace(result, next_poll_id=None, lock_lost=True)
        return msgspec.structs.replace(result, lock_lost=lock_lost)

    def _store(self, cursor: Cursor, parsed: ParsedPage | Exception) -> Stored | None:
        """Store the page's events, or leave the page for a replay where they cannot be stored."""
        page = self._page
        if isinstance(parsed, Exception):
            mark_unparsed(cursor, page.poll_id, parsed)
            return None
        cursor.execute("SAVEPOINT parsing")
        try:
            stored = store_rows(
                cursor, parsed, profile=self._journal.profile.name, poll_id=page.poll_id, kind=page.kind
            )
            cursor.execute(_PARSED, (page.poll_id,))
            withhold_erased(cursor, self._journal.profile, parsed, stored, poll_id=page.poll_id, body=page.answer.body)
        except Exception as error:
            if may_pass(error):
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT parsing")
            mark_unparsed(cursor, page.poll_id, error)
            return None
        return stored

    def _close(self, cursor: Cursor, stored: Stored) -> None:
        values = {
            "poll_id": self._page.poll_id,
            "http_status": self._page.answer.http_status,
            "row_count": len(self._page.rows),
            "possibly_cut": self._page.possibly_cut,
        }
        cursor.execute(_LANDED, {**values, **msgspec.structs.asdict(stored)})


def land(
    session: Session, journal: Journal, page: Page, *, lock: QueueLock | None = None, open_next: bool = False
) -> Landed:
    """Commit a page, its events, its poll's outcome and, if wanted, the next drain poll's journal row.

    While the store is away the page stays in memory and is landed as soon as a new session takes it, within the
    session's patience; a commit whose answer was lost is looked up before it is repeated.

    :param lock: a drain's: checked in the page's own transaction. Where it is lost the page lands all the same.
    :raises psycopg2.Error: after the session's patience. The poll is still open then: the next drain judges it.
    :raises StoreUnavailableError: likewise, where the store is away.
    """
    # The rows are parsed while the store takes the body.
    with ThreadPoolExecutor(max_workers=1) as helper:
        return session.insist(_Attempt(journal, page, lock, helper, open_next=open_next))


def keep_doubtful(session: Session, journal: Journal, poll_id: int, error: PollInDoubtError) -> None:
    """Write that a poll ended in doubt, and keep what came of its answer."""

    def work(cursor: Cursor) -> None:
        cursor.execute("SELECT FROM ropo.status_page WHERE poll_id = %s", (poll_id,))
        if error.body and cursor.fetchone() is None:
            _keep_body(cursor, poll_id, error.body, error.content_type, complete=False)
            withhold_broken(cursor, journal.profile.name, poll_id)
        journal.doubt(cursor, poll_id, error=str(error), http_status=error.http_status)

    session.insist(work)


def mark_unparsed(cursor: Cursor, poll_id: int, error: Exception) -> None:
    """Write that a page waits for a parser that can take it. The class only: the message may quote a row."""
    logger.error("Poll %s: its page is kept, but could not be parsed (%s)", poll_id, type(error).__name__)
    cursor.execute("UPDATE ropo.status_page SET parse_error = %s WHERE poll_id = %s", (type(error).__name__, poll_id))


def _keep_body(cursor: Cursor, poll_id: int, body: bytes, content_type: str | None, *, complete: bool) -> None:
    # A header may hold what PostgreSQL's text cannot, and the page must land all the same.
    named = None if content_type is None else content_type.encode(errors="replace").replace(b"\0", b"?")
    values = (poll_id.to_bytes(8), bytes([complete]), body, named, hashlib.sha256(body).digest())
    copy_bytes(cursor, _KEEP_BODY, values)


def _shown(parsed: ParsedPage | Exception) -> frozenset[str]:
    return frozenset() if isinstance(parsed, Exception) else frozenset(event.statusid for event in parsed.events)


def _parse(page: Page, journal: Journal) -> ParsedPage | Exception:
    try:
        return parse_rows(page.rows, journal.profile.zone)
    except Exception as error:  # noqa: BLE001 - whatever our parser's fault is, the page itself must land
        return error
