"""The drain: parameterless polls until 204, each page committed before the next request leaves."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from include.status_store.database import StoreUnavailableError
from include.status_store.interpreter import tuned
from include.status_store.landing import Page, keep_doubtful, land, prove_room
from include.status_store.polling import poll_rows
from include.status_store.queue_lock import QueueLock, pin
from include.status_store.retry_after import LONGEST_WAIT_SECONDS, AskedToWaitError
from include.status_store.source import NO_CONTENT, PollInDoubtError, PollRefusedError, PollUnsentError
from include.status_store.storing import Storing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor

    from psycopg2.extensions import cursor as Cursor

    from include.status_store.journal import Journal, Outcome
    from include.status_store.session import Session
    from include.status_store.source import StatusSource
    from include.status_store.storing import StoredPage

logger = logging.getLogger(__name__)

Stop = Literal[
    "empty", "pages", "time", "in_doubt", "refused", "asked_to_wait", "lock_lost", "empty_answers", "told_to_stop"
]

# Ropo documents 204 as the queue's end. A 200 without rows is another thing, of which nobody knows what it means.
MAX_EMPTY_ANSWERS = 3
A_THREAD = partial(ThreadPoolExecutor, max_workers=1)
# A server that says "again at once" and refuses again would be asked without a pause.
MAX_REFUSALS_IN_A_ROW = 10
_NOT_SENT = "the drain ended before the request left"


class DrainSummary(msgspec.Struct, kw_only=True):
    """What a drain did, in counts.

    :param stopped_by: ``empty`` is Ropo's 204: the queue held nothing more. Every other word leaves the rest to the
        next run: a bound (``pages``, ``time``), a poll ``in_doubt`` or ``refused``, a longer pause that Ropo One asked
        another task of the profile for (``asked_to_wait``), the queue's lock lost (``lock_lost``), answers without rows
        that were no 204 (``empty_answers``), or a person who ended the task (``told_to_stop``).
    :param polls: GETs sent; ``pages``: those that brought rows or an empty list.
    :param taken_up: pages of earlier drains of which the events were not stored before, and are now; ``new`` and the
        other counts of events are without theirs.
    :param in_doubt: polls of this drain that ended in doubt; ``abandoned``: those of earlier processes, found now.
    """

    stopped_by: Stop = "empty"
    polls: int = 0
    pages: int = 0
    taken_up: int = 0
    rows: int = 0
    new: int = 0
    revised: int = 0
    quarantined: int = 0
    refused: int = 0
    in_doubt: int = 0
    abandoned: int = 0
    seconds: float = 0.0


class Drain:
    """One drain of a profile's queue.

    :param source: Ropo One, asked for one page at a time.
    :param journal: of the profile, on behalf of this run.
    :param max_pages: and ``max_seconds``: bounds of one drain; what is left then goes to the next.
    :param helper: makes what does one thing after the other beside the polls (:class:`.storing.Storing`).
    """

    def __init__(
        self,
        session: Session,
        source: StatusSource,
        journal: Journal,
        *,
        max_pages: int,
        max_seconds: float,
        helper: Callable[[], Executor] = A_THREAD,
    ) -> None:
        self._session = session
        self._helper = helper
        self._source = source
        self._journal = journal
        self._max_pages = max_pages
        self._max_seconds = max_seconds
        self._lock = QueueLock(session, source.queue)
        self._summary = DrainSummary()
        self._empty_answers = 0
        self._refusals_in_a_row = 0
        self._started = 0.0
        self._is_told_to_stop = False

    def stop(self) -> None:
        """Let the page come that is asked for, if one is, and begin no other poll; safe in a signal's handler."""
        self._is_told_to_stop = True

    def run(self) -> DrainSummary:
        """Poll until 204 or a bound.

        :raises QueueBusyError: if another drain holds the queue.
        :raises PinnedElsewhereError: if profile and queue belong to others.
        :raises AskedToWaitError: if Ropo One has asked for a longer pause than is waited for; nothing was polled.
        :raises PollUnsentError: if Ropo One cannot be reached: nothing was asked, nothing is lost.
        :raises PollRefusedError: if it refuses for good.
        :raises StoreUnavailableError: if the last poll ended in doubt and the store has no room for a page: nothing was
            polled, since a page that came now would be lost into another doubt.
        """
        self._started = time.monotonic()
        self._lock.acquire()
        try:
            with (
                tuned(),
                self._session.another() as beside,
                Storing(beside, self._journal.profile, self._helper) as storing,
            ):
                self._drain(storing)
        finally:
            self._summary.seconds = round(time.monotonic() - self._started, 3)
            self._lock.release()
        return self._summary

    def _drain(self, storing: Storing) -> None:
        self._summary.taken_up = storing.take_up()
        poll_id = self._open_first()
        try:
            while poll_id is not None:
                poll_id = self._poll(poll_id, storing)
        finally:
            self._count(storing.finish())

    def _open_first(self) -> int | None:
        """Judge what earlier processes left and open the first poll: only a holder of the lock may do either."""
        with self._session.transaction() as cursor:
            pause = pin(cursor, self._journal.profile.name, self._source.queue)
            held = self._lock.held(cursor)
            if held:
                self._summary.abandoned = self._journal.judge_abandoned(cursor)
                if pause is None:
                    # What is judged stands where there is no room for a page, too: _reopen tells of it.
                    with suppress(StoreUnavailableError):
                        return self._open(cursor)
        if held:
            return self._reopen()
        self._tell_lost_lock()
        return None

    def _open(self, cursor: Cursor) -> int:
        """Open a poll; after one that ended in doubt, as where its page found no room, only if a page can be kept."""
        if self._journal.ended_in_doubt(cursor):
            prove_room(cursor, self._journal)
        return self._journal.open(cursor, "drain")

    def _poll(self, poll_id: int, storing: Storing) -> int | None:
        """Send one poll and keep what comes; return the next poll's id, None where the drain ends."""
        if self._is_told_to_stop:
            self._close(poll_id, "unsent", error=_NOT_SENT)
            self._summary.stopped_by = "told_to_stop"
            return None
        self._summary.polls += 1
        try:
            polled = poll_rows(self._source)
        except PollUnsentError as error:
            self._close(poll_id, "unsent", error=str(error))
            raise
        except PollRefusedError as error:
            return self._refused(poll_id, error)
        except PollInDoubtError as error:
            self._in_doubt(poll_id, error)
            return None
        except BaseException as error:
            # A task that is told to stop, or a fault of ours: the request may have left, and some of its answer be had.
            broken_off = PollInDoubtError(f"the poll was broken off by {type(error).__name__}")
            self._in_doubt(poll_id, error.__cause__ if isinstance(error.__cause__, PollInDoubtError) else broken_off)
            raise
        if polled is None:
            try:
                # What the 204 proves drained is in the store by then.
                self._count(storing.finish())
            finally:
                self._close(poll_id, "empty", http_status=NO_CONTENT)
            self._summary.stopped_by = "empty"
            return None
        self._refusals_in_a_row = 0
        answer, rows = polled
        self._empty_answers = 0 if rows else self._empty_answers + 1
        self._summary.pages += 1
        self._summary.rows += len(rows)
        return self._keep(Page(poll_id=poll_id, kind="drain", answer=answer, rows=rows), storing)

    def _keep(self, page: Page, storing: Storing) -> int | None:
        """Land a page, and put it behind those whose events are being stored; return the next poll's id."""
        parsing = storing.parse(page)
        bound = self._bound()
        landed = land(self._session, self._journal, page, self._lock, open_next=bound is None)
        if landed.lock_lost:
            self._tell_lost_lock()
        elif bound is not None:
            self._summary.stopped_by = bound
        try:
            self._count(storing.hand_over(page, parsing))
        except BaseException:
            if landed.next_poll_id is not None:
                self._close(landed.next_poll_id, "unsent", error=_NOT_SENT)
            raise
        if landed.next_poll_id is None and bound is None and not landed.lock_lost:
            return self._reopen()
        return landed.next_poll_id

    def _tell_lost_lock(self) -> None:
        logger.warning(
            "Profile %s: the queue's lock was lost with its session. Every page that came is kept; the drain stops "
            "and the next run goes on. Where this happens in every run, connection ropo_store leads through a proxy "
            "that pools transactions: give it a direct connection",
            self._journal.profile.name,
        )
        self._summary.stopped_by = "lock_lost"

    def _count(self, pages: Iterable[StoredPage]) -> None:
        summary = self._summary
        for page in pages:
            summary.new += page.stored.new
            summary.revised += page.stored.revised
            summary.quarantined += page.stored.quarantined
            seconds = max(time.monotonic() - self._started, 0.001)
            logger.info(
                "Profile %s: a page of %d rows stored, %d events new so far and %d rows in quarantine; "
                "%d pages with %d rows came, %.0f rows/s",
                self._journal.profile.name, page.rows,
                summary.new, summary.quarantined, summary.pages, summary.rows, summary.rows / seconds,
            )  # fmt: skip

    def _refused(self, poll_id: int, error: PollRefusedError) -> int | None:
        """Nothing was served, so a new poll may go on: at once with a new token, later where Ropo says when."""
        self._summary.refused += 1
        wait = error.go_on_after
        self._close(poll_id, "refused", http_status=error.http_status, error=str(error), go_on_after=wait)
        if wait is None:
            raise error
        self._refusals_in_a_row += 1
        if not self._has_time_for(wait) or self._refusals_in_a_row > MAX_REFUSALS_IN_A_ROW:
            logger.warning("%s; it may be polled again in %.0f s: the rest is left to a later run", error, wait)
            self._summary.stopped_by = "refused"
            return None
        logger.info("%s; going on with a new poll in %.0f s", error, wait)
        time.sleep(wait)
        return self._reopen()

    def _reopen(self) -> int | None:
        """Open a poll in a transaction of its own, after the pause that Ropo One asks for, if it may be sent.

        While nothing was served the queue may have been given to another profile: it is pinned anew.
        """
        while True:
            with self._session.transaction() as cursor:
                pause = pin(cursor, self._journal.profile.name, self._source.queue)
                if not self._lock.held(cursor):
                    self._tell_lost_lock()
                    return None
                if pause is None:
                    return self._open(cursor)
            if not self._has_time_for(pause.seconds):
                self._leave(AskedToWaitError(self._journal.profile, pause.until))
                return None
            logger.info("Profile %s: waiting for %.0f s (Retry-After)", self._journal.profile.name, pause.seconds)
            time.sleep(pause.seconds)  # five minutes at most, and nothing is held but the queue: it may be killed here

    def _leave(self, error: AskedToWaitError) -> None:
        """Stop as after any page; where none was asked for, there is nothing to report but the error."""
        if not self._summary.polls:
            raise error
        logger.warning("%s; the rest is left to a later run", error)
        self._summary.stopped_by = "asked_to_wait"

    def _in_doubt(self, poll_id: int, error: PollInDoubtError) -> None:
        """Record the doubt and stop: a server in trouble might take a page with every further poll."""
        keep_doubtful(self._session, self._journal, poll_id, error)
        logger.warning(
            "Profile %s: poll %d is in doubt (%s). A page may be gone from the queue; its window of dates is re-read",
            self._journal.profile.name, poll_id, error,
        )  # fmt: skip
        self._summary.in_doubt += 1
        self._summary.stopped_by = "in_doubt"

    def _close(self, poll_id: int, outcome: Outcome, **details: Any) -> None:
        self._session.insist(lambda cursor: self._journal.close(cursor, poll_id, outcome, **details))

    def _seconds_left(self) -> float:
        return self._max_seconds - (time.monotonic() - self._started)

    def _has_time_for(self, seconds: float) -> bool:
        return seconds <= min(LONGEST_WAIT_SECONDS, self._seconds_left())

    def _bound(self) -> Stop | None:
        if self._is_told_to_stop:
            return "told_to_stop"
        if self._empty_answers >= MAX_EMPTY_ANSWERS:
            return "empty_answers"
        if self._summary.pages >= self._max_pages:
            return "pages"
        if self._seconds_left() <= 0:
            return "time"
        return None
