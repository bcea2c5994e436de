"""The events of a drain's pages, stored beside the polls: while they are, the next pages are asked for and landed.

A page is durable before its events are stored. Those that are not stored when the process ends, or could not be, wait
in the store, and the next drain takes them up.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import msgspec

from include.status_store.event import Stored
from include.status_store.event_days import note_missed
from include.status_store.page_events import (
    ALREADY_STORED,
    NeedsALookError,
    Parsed,
    parse_page,
    store_new_page,
    store_page,
)
from include.status_store.replay import replay_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor, Future
    from typing import Self

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.landing import Page
    from include.status_store.session import Session

# Those that nobody has tried come first: they are all tried.
_LEFT = """
SELECT poll_id, parse_error
FROM ropo.status_page JOIN ropo.status_poll USING (poll_id)
WHERE complete AND parsed_at IS NULL AND profile = %s
ORDER BY parse_error IS NOT NULL, poll_id
"""
# So many pages whose events could not be stored before may fail once more in a drain, of each kind of error. What was
# not the page's fault (a right that was lacking, no memory) is over for all of them at once. What was stays for each:
# it must neither cost every drain the time of all such pages nor keep those of another kind from their turn.
MOST_IN_VAIN = 10

# So many pages that have landed may wait for their events while the next one is asked for: neither side has to wait for
# the other at each page. They are in memory, and a process that ends leaves so many, and the one in its hand.
MOST_BEHIND = 3


class StoredPage(msgspec.Struct, frozen=True):
    """A page of which the events are stored.

    :param rows: in its answer.
    """

    rows: int
    stored: Stored


class Storing:
    """Stores the events of one page after the other, in the order in which they landed; a context manager.

    :param session: of its own; nothing else may use it.
    :param helper: makes what does one thing after the other: there is one for parsing and one for storing.
    """

    def __init__(self, session: Session, profile: Profile, helper: Callable[[], Executor]) -> None:
        self._session = session
        self._profile = profile
        self._helper = helper
        self._under_way: deque[Future[StoredPage]] = deque()
        self._failed: BaseException | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._parser, self._storer = (self._opened.enter_context(self._helper()) for _ in range(2))
        return self

    def __exit__(self, *error: object) -> None:
        self._opened.close()

    def take_up(self) -> int:
        """Store the events of pages that earlier drains landed and did not store: as their process ended, or it failed.

        :return: of how many pages they are stored now. One that still fails is marked so: it waits for a later drain or
            a replay, and keeps nothing else from the store.
        :raises psycopg2.Error: if the store does not take them within the session's patience.
        """
        with self._session.transaction() as cursor:
            note_missed(cursor)
            cursor.execute(_LEFT, (self._profile.name,))
            left = cursor.fetchall()
        taken_up = 0
        in_vain = Counter[str | None]()
        for poll_id, error in left:
            if error is not None and in_vain[error] >= MOST_IN_VAIN:
                continue
            if replay_page(self._session, self._profile, poll_id) is None:
                in_vain[error] += 1
            else:
                taken_up += 1
        return taken_up

    def parse(self, page: Page) -> Future[Parsed | Exception]:
        """Begin to parse a page, before it has landed."""
        return self._parser.submit(self._parse, page)

    def hand_over(self, page: Page, parsing: Future[Parsed | Exception]) -> list[StoredPage]:
        """Put a page that has landed behind those whose events are being stored.

        :return: those that had to be stored first, so that no more than :data:`MOST_BEHIND` wait; see :meth:`finish`.
        """
        stored = self._wait(MOST_BEHIND - 1)
        self._under_way.append(self._storer.submit(self._store, page, parsing))
        return stored

    def finish(self) -> list[StoredPage]:
        """Wait for the pages whose events are being stored.

        :raises psycopg2.Error: if the store did not take those of one within the session's patience; those of the
            pages behind it are not tried any more.
        """
        return self._wait(0)

    def _wait(self, most: int) -> list[StoredPage]:
        stored = []
        while len(self._under_way) > most:
            stored.append(self._under_way.popleft().result())
        return stored

    def _parse(self, page: Page) -> Parsed | Exception:
        # While the page lands there is time to make its events ready.
        return parse_page(page.rows, self._profile, poll_id=page.poll_id, kind=page.kind, ready=True)

    def _store(self, page: Page, parsing: Future[Parsed | Exception]) -> StoredPage:
        if self._failed is not None:
            raise self._failed
        attempt = _Attempt(self._profile, page, parsing.result())
        try:
            with suppress(NeedsALookError):
                return StoredPage(len(page.rows), self._session.insist(attempt) or Stored())
            attempt.look()
            return StoredPage(len(page.rows), self._session.insist(attempt) or Stored())
        except BaseException as error:
            self._failed = error
            raise


class _Attempt:
    """The storing of one page's events, tried until the store has them."""

    def __init__(self, profile: Profile, page: Page, parsed: Parsed | Exception) -> None:
        self._profile = profile
        self._page = page
        self._parsed = parsed
        # What the queue hands over is taken to be new, until the store says otherwise.
        self._new = None if isinstance(parsed, Exception) or parsed.page.rejected else parsed
        self._result: Stored | None = None

    def look(self) -> None:
        """Look from now on which events are new."""
        self._new = None

    def __call__(self, cursor: Cursor) -> Stored | None:
        stored = self._store(cursor)
        if stored is ALREADY_STORED and self._result is not None:
            # The commit took effect though its answer was lost.
            return self._result
        self._result = stored
        return stored

    def _store(self, cursor: Cursor) -> Stored | None:
        page = self._page
        if self._new is not None:
            return store_new_page(cursor, self._profile, self._new, poll_id=page.poll_id)
        return store_page(
            cursor,
            self._profile,
            self._parsed,
            poll_id=page.poll_id,
            kind=page.kind,
            body=page.answer.body,
            # The page itself has had a commit that was waited for.
            wait_for_disk=False,
        )
