"""A page into the store: raw answer, its poll's outcome and the next poll's journal row in one durable commit.

The events of a re-read are in the same commit. Those of a drain follow beside the next polls (:mod:`.storing`).
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
import psycopg2

from include.status_store.copying import copy_bytes
from include.status_store.database import StoreUnavailableError, first_line
from include.status_store.event import Stored
from include.status_store.journal import Kind
from include.status_store.page_body import GZIP, pack
from include.status_store.page_events import parse_page, store_page
from include.status_store.queue_lock import HELD
from include.status_store.retry_after import NO_PAUSE
from include.status_store.source import Answer
from include.status_store.texts import withhold_broken

if TYPE_CHECKING:
    from concurrent.futures import Future

    from psycopg2.extensions import cursor as Cursor

    from include.status_store.journal import Journal
    from include.status_store.page_events import Parsed
    from include.status_store.queue_lock import QueueLock
    from include.status_store.session import Session
    from include.status_store.source import PollInDoubtError

_KEEP_BODY = """
COPY ropo.status_page (poll_id, complete, body, body_encoding, size, content_type, sha256) FROM STDIN (FORMAT binary)
"""
_LOOK = f"SELECT outcome, {HELD} FROM ropo.status_poll WHERE poll_id = %(poll_id)s FOR UPDATE"  # noqa: S608 - a constant
# Packed bytes of a page for which there must be room before a poll that follows a doubt. A page of a thousand rows
# comes to some 30 KB; one of long texts that no packing makes smaller, or of ten thousand rows, has room in so many.
ROOM_BYTES = 1_000_000
_LANDED = """
UPDATE ropo.status_poll
SET outcome = 'landed', http_status = %(http_status)s, row_count = %(row_count)s, possibly_cut = %(possibly_cut)s,
    error = NULL, closed_at = clock_timestamp(),
    -- Another drain may have judged it in doubt while the page was in our hand: it is not any more.
    window_to = NULL, recovery = NULL, recovery_reason = NULL, recovered_at = NULL, recovered_count = NULL
WHERE poll_id = %(poll_id)s
"""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in hand, its rows split."""

    poll_id: int
    kind: Kind
    answer: Answer
    rows: Sequence[bytes]
    possibly_cut: bool | None = None


class Landed(msgspec.Struct, frozen=True):
    """A drain's page that the store has.

    :param next_poll_id: the poll opened in the same commit, if one was wanted, the lock is still ours and no other task
        of the profile was asked to wait.
    :param lock_lost: the page's backend did not hold the queue's lock (any more).
    """

    next_poll_id: int | None
    lock_lost: bool


class LandedReread(msgspec.Struct, frozen=True):
    """A re-read's page that the store has, with its events.

    :param shown: the statusids of its events; None where the page could not be parsed and waits for a replay.
    """

    stored: Stored
    shown: frozenset[str] | None


Result = TypeVar("Result")


class _Attempt(ABC, Generic[Result]):
    """The landing of one page, tried until the store has it."""

    def __init__(self, page: Page, lock: QueueLock | None = None) -> None:
        self._page = page
        self._lock = lock
        self._result: Result | None = None

    def __call__(self, cursor: Cursor) -> Result:
        page = self._page
        which = {"poll_id": page.poll_id, "lock": self._lock.key if self._lock else None}
        if self._result is not None:
            cursor.execute(_LOOK, which)
            outcome, held = cursor.fetchone() or (None, False)
            if outcome == "landed":
                # The commit took effect though its answer was lost.
                self._result = self._found(cursor, self._result, held=held)
                return self._result
        _keep_body(cursor, page.poll_id, page.answer.body, page.answer.content_type, complete=True)
        values = {"http_status": page.answer.http_status, "row_count": len(page.rows)}
        self._result = self._complete(cursor, {**which, **values, "possibly_cut": page.possibly_cut})
        return self._result

    @abstractmethod
    def _complete(self, cursor: Cursor, values: dict[str, object]) -> Result:
        """Write the poll's outcome (:data:`_LANDED`, with ``values``), and what else is in the page's commit."""

    @abstractmethod
    def _found(self, cursor: Cursor, result: Result, *, held: bool) -> Result:
        """Return what became of a page that an earlier attempt landed."""


class _DrainAttempt(_Attempt[Landed]):
    def __init__(self, journal: Journal, page: Page, lock: QueueLock, *, open_next: bool) -> None:
        super().__init__(page, lock)
        self._journal = journal
        self._open_next = open_next

    def _complete(self, cursor: Cursor, values: dict[str, object]) -> Landed:
        if self._open_next:
            next_poll_id = self._journal.open_next(cursor, _LANDED, values, f"{HELD} AND {NO_PAUSE}")
            if next_poll_id is None:
                cursor.execute(f"SELECT {HELD}", values)
                return Landed(None, lock_lost=cursor.fetchone() != (True,))
            return Landed(next_poll_id, lock_lost=False)
        cursor.execute(f"{_LANDED} RETURNING {HELD}", values)
        return Landed(None, lock_lost=cursor.fetchone() != (True,))

    def _found(self, cursor: Cursor, result: Landed, *, held: bool) -> Landed:
        if result.next_poll_id is None or held:
            return msgspec.structs.replace(result, lock_lost=result.lock_lost or not held)
        # The next poll's row was in that commit, and its request never left.
        error = "the store's session was lost before the request left"
        self._journal.close(cursor, result.next_poll_id, "unsent", error=error)
        return Landed(None, lock_lost=True)


class _RereadAttempt(_Attempt[LandedReread]):
    def __init__(self, journal: Journal, page: Page, parsing: Future[Parsed | Exception]) -> None:
        super().__init__(page)
        self._profile = journal.profile
        self._parsing = parsing

    def _complete(self, cursor: Cursor, values: dict[str, object]) -> LandedReread:
        cursor.execute(_LANDED, values)
        page, parsed = self._page, self._parsing.result()
        stored = store_page(cursor, self._profile, parsed, poll_id=page.poll_id, kind=page.kind, body=page.answer.body)
        if stored is None or isinstance(parsed, Exception):
            return LandedReread(Stored(), None)
        return LandedReread(stored, frozenset(parsed.page.events.statusids))

    def _found(self, cursor: Cursor, result: LandedReread, *, held: bool) -> LandedReread:  # noqa: ARG002 - no lock is needed
        return result


def land(session: Session, journal: Journal, page: Page, lock: QueueLock, *, open_next: bool) -> Landed:
    """Commit a drain's page, its poll's outcome and, if wanted, the next poll's journal row.

    While the store is away the page stays in memory and is landed as soon as a new session takes it, within the
    session's patience; a commit whose answer was lost is looked up before it is repeated.

    :param lock: checked in the page's own transaction. Where it is lost the page lands all the same.
    :raises psycopg2.Error: after the session's patience. The poll is still open then: the next drain judges it.
    :raises StoreUnavailableError: likewise, if the store is away.
    """
    return session.insist(_DrainAttempt(journal, page, lock, open_next=open_next))


def land_reread(session: Session, journal: Journal, page: Page) -> LandedReread:
    """Commit a re-read's page, its poll's outcome and its events.

    :raises psycopg2.Error: as :func:`land`; a re-read may be repeated.
    :raises StoreUnavailableError: likewise, if the store is away.
    """
    # The rows are parsed while the store takes the body.
    with ThreadPoolExecutor(max_workers=1) as helper:
        parsing = helper.submit(parse_page, page.rows, journal.profile, poll_id=page.poll_id, kind=page.kind)
        return session.insist(_RereadAttempt(journal, page, parsing))


def keep_doubtful(session: Session, journal: Journal, poll_id: int, error: PollInDoubtError) -> None:
    """Write that a poll ended in doubt, and keep what came of its answer."""

    def work(cursor: Cursor) -> None:
        cursor.execute("SELECT FROM ropo.status_page WHERE poll_id = %s", (poll_id,))
        if error.body and cursor.fetchone() is None:
            _keep_body(cursor, poll_id, error.body, error.content_type, complete=False)
            withhold_broken(cursor, journal.profile.name, poll_id)
        journal.doubt(cursor, poll_id, error=str(error), http_status=error.http_status, go_on_after=error.go_on_after)

    session.insist(work)


def prove_room(cursor: Cursor, journal: Journal) -> None:
    """Write a page and take it back, in the transaction of ``cursor``, which is as it was before in any case.

    On a full disk the small row of a poll may find room where its page does not: each run would take another page out
    of the queue, and lose it into another doubt.

    :raises StoreUnavailableError: if the store does not take it.
    """
    cursor.execute("SAVEPOINT room")
    try:
        # Of bytes that cannot be packed, so that they take the room that they are to take.
        _keep_body(cursor, journal.open(cursor, "drain"), os.urandom(ROOM_BYTES), None, complete=False)
    except psycopg2.Error as error:
        if cursor.connection.closed:
            raise
        cursor.execute("ROLLBACK TO SAVEPOINT room")
        what, mend = (
            ("has no room for a page", "make room on the disk that its PostgreSQL writes to")
            if isinstance(error, psycopg2.errors.DiskFull)
            else ("does not take a page", "mend what PostgreSQL says")
        )
        raise StoreUnavailableError(
            f"Profile {journal.profile.name}: the store {what} ({first_line(error)}), and the last poll ended in "
            f"doubt. Nothing is polled, so that no other page is lost: {mend}, and the next run goes on"
        ) from error
    cursor.execute("ROLLBACK TO SAVEPOINT room")


def _keep_body(cursor: Cursor, poll_id: int, body: bytes, content_type: str | None, *, complete: bool) -> None:
    # A header may hold what PostgreSQL's text cannot, and the page must land all the same.
    named = None if content_type is None else content_type.encode(errors="replace").replace(b"\0", b"?")
    sha256 = hashlib.sha256(body).digest()
    size = len(body).to_bytes(8)
    values = (poll_id.to_bytes(8), bytes([complete]), pack(body), GZIP.encode(), size, named, sha256)
    copy_bytes(cursor, _KEEP_BODY, values)
