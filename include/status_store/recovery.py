"""Recovery: the dates that a doubtful poll's lost page may belong to are re-read until they are shown whole.

Each date is asked once for all doubts that it serves. One that was shown whole is ticked off in the store, and not
asked again; another one is, an hour later. A run that is broken off, or out of time, is resumed by the next.
"""

from __future__ import annotations

import datetime
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from include.status_store.reread import Reread
from include.status_store.retry_after import AskedToWaitError
from include.status_store.rows import only_row
from include.status_store.source import PollInDoubtError, PollRefusedError
from include.status_store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.status_store.journal import Journal
    from include.status_store.reread import RereadSummary
    from include.status_store.session import Session
    from include.status_store.source import StatusSource

logger = logging.getLogger(__name__)

# Before they are judged, in a statement of its own: what another session writes of them meanwhile is to be seen.
_HOLD = """
SELECT FROM ropo.status_poll
WHERE profile = %(profile)s AND recovery IN ('pending', 'unproven')
ORDER BY poll_id
FOR UPDATE
"""
_STANDING = """
SELECT
    count(*) FILTER (WHERE recovery = 'pending'),
    count(*) FILTER (WHERE recovery = 'unproven'),
    count(*) FILTER (WHERE recovery = 'recovered')
FROM ropo.status_poll
WHERE profile = %(profile)s AND recovery IS NOT NULL
"""
ASK_AGAIN = datetime.timedelta(hours=1)


class RecoverySummary(msgspec.Struct, kw_only=True):
    """What a recovery did, in counts, and how the profile's doubts stand after it.

    :param dates: business dates asked; ``whole``: those that were shown whole.
    :param new: events that the re-reads brought, which no poll had brought before.
    :param pending: doubts whose dates are not all asked yet; ``unproven``: asked, and not all shown whole.
    :param recovered: doubts whose dates were all shown whole, ever.
    """

    dates: int = 0
    whole: int = 0
    new: int = 0
    pending: int = 0
    unproven: int = 0
    recovered: int = 0


class _Date(msgspec.Struct, frozen=True):
    """A date to ask.

    :param doubts: the polls in doubt that it serves, and ``noticed``: when each of them was written to be one.
    """

    date: datetime.date
    doubts: list[int]
    noticed: list[datetime.datetime]


class Recovery:
    """The recovery of one profile's doubtful polls.

    :param max_seconds: bound of one run; what is left goes to the next.
    :ivar asked: the date that is asked, or was asked last.
    """

    def __init__(self, session: Session, source: StatusSource, journal: Journal, *, max_seconds: float) -> None:
        self._session = session
        self._source = source
        self._journal = journal
        self._profile = journal.profile
        self._max_seconds = max_seconds
        self.asked: datetime.date | None = None

    def run(self) -> RecoverySummary:
        """Re-read what doubts need, as long as Ropo One may be asked.

        :raises PollError: if Ropo One cannot be asked, and does not say when it can; what was ticked until then stays.
        :raises PinnedElsewhereError: if profile and queue belong to others.
        """
        summary = RecoverySummary()
        started = time.monotonic()
        try:
            for date in self._dates():
                if time.monotonic() - started >= self._max_seconds:
                    logger.info("Profile %s: recovery is out of time; the next run goes on", self._profile.name)
                    break
                self._recover(date, summary)
        except AskedToWaitError as error:
            logger.warning("%s; a later run goes on with the recovery", error)
        except PollRefusedError as error:
            # As above, by the answer that says so first.
            if not error.go_on_after:
                raise
            logger.warning("%s; in %.0f s a later run may go on with the recovery", error, error.go_on_after)
        finally:
            self._session.insist(self._conclude)
        summary.pending, summary.unproven, summary.recovered = self._session.insist(self._standing)
        return summary

    def _dates(self) -> list[_Date]:
        """Return the dates to ask, each with the doubts that it serves: those that are known before it is asked."""
        with self._session.transaction() as cursor:
            cursor.execute(statement("pick_window_dates"), {"profile": self._profile.name, "ask_again": ASK_AGAIN})
            return [_Date(*row) for row in cursor.fetchall()]

    def _recover(self, asked: _Date, summary: RecoverySummary) -> None:
        self.asked = date = asked.date
        try:
            asking = Reread(self._session, self._source, self._journal)
            reread = asking.by_date(date)
        except PollRefusedError as error:
            if not error.is_of_what_was_asked:
                raise
            # The window reaches a day past the doubt; a server may refuse a day that has not begun.
            self._tick(asked, None, f"{date}: {error}")
            logger.warning("Profile %s: %s", self._profile.name, error)
            return
        except PollInDoubtError as error:
            # A server in trouble is left alone; but a date that it never answers must not hold up the others for good.
            self._tick(asked, None, f"{date}: {error}", is_answered=False)
            raise
        self._tick(asked, reread, _reason(date, reread, asking.completeness))
        summary.dates += 1
        summary.whole += reread.whole
        summary.new += reread.new
        logger.info(
            "Profile %s: %s re-read for recovery, %d rows, %d new%s",
            self._profile.name, date, reread.rows, reread.new, "" if reread.whole else ", not shown whole",
        )  # fmt: skip

    def _tick(
        self, asked: _Date, reread: RereadSummary | None, reason: str | None, *, is_answered: bool = True
    ) -> None:
        """Write what came of a date; one without an answer is asked by the next run again."""
        values = {
            **msgspec.structs.asdict(asked),
            "is_answered": is_answered,
            "reread_poll_id": reread.poll_id if reread else None,
            "new": reread.new if reread else 0,
            "whole": reread is not None and reread.whole,
            "reason": reason,
        }
        self._session.insist(lambda cursor: cursor.execute(statement("tick_window_date"), values))

    def _conclude(self, cursor: Cursor) -> None:
        values = {"profile": self._profile.name}
        cursor.execute(_HOLD, values)
        cursor.execute(statement("conclude_doubts"), values)

    def _standing(self, cursor: Cursor) -> tuple[int, int, int]:
        cursor.execute(_STANDING, {"profile": self._profile.name})
        return only_row(cursor)


def _reason(date: datetime.date, reread: RereadSummary, completeness: str | None) -> str | None:
    """Say why a date does not count, None where it does."""
    if reread.possibly_cut and not reread.shown_complete:
        why = f"; {completeness}" if completeness else ""
        return f"{date}: the answer had {reread.rows} rows, the most that one may have: it was possibly cut{why}"
    if reread.absent:
        return f"{date}: {reread.absent} events that are held for this date were not shown"
    if reread.unparsed:
        return f"{date}: the answer is kept, but could not be parsed"
    return None
