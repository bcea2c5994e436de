"""What a comparison asks of Ropo One before it is recorded.

Where a comparison gives something to ask, nothing of it is recorded: its transaction is over before the first question
leaves, so that no session waits for Ropo One in the middle of one, and the comparison is made again, of both sides as
they stand after the answers. Then it is recorded, whatever came.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.reconciliation.turns import Turn

T = TypeVar("T")
# For each kind of question of a comparison; no further one is begun after it.
MAX_SECONDS = 300.0


class Inquiry(Protocol):
    """One kind of question."""

    def pick(self, cursor: Cursor, rereads: Mapping[datetime.date, int | None]) -> bool:
        """Look at a comparison, in its transaction, for what to ask; tell whether there is anything.

        :param rereads: the business dates of its parts, each with the re-read that its verdict relies on.
        """

    def ask(self) -> None:
        """Ask it and keep what comes, in transactions of its own. A failure of Ropo One is noted, not raised."""

    def columns(self, cursor: Cursor, day: datetime.date) -> dict[str, object]:
        """Return the columns of ``ropo.reconciliation`` that say what came of it.

        :param cursor: after the comparison that is recorded, in its transaction; ``day``: the part that is recorded.
        """


class Inquiries:
    """The questions of one run, each asked once at most.

    :param inquiries: in the order in which they are asked.
    """

    def __init__(self, inquiries: Sequence[Inquiry] = ()) -> None:
        self._inquiries = inquiries
        self._is_open = bool(inquiries)

    def around(self, work: Callable[[], T | None], turn: Turn) -> T:
        """Do ``work``, a whole transaction; where that has something to ask, ask it and do the work again.

        :param work: returns None where :meth:`wanted` said that there is something to ask.
        :param turn: of the work. Others have theirs while Ropo One is asked.
        """
        result = turn.do(work)
        if result is None:
            self._is_open = False
            for inquiry in self._inquiries:
                inquiry.ask()
            result = turn.do(work)
        if result is None:
            raise RuntimeError("a comparison that has asked gave no result")
        return result

    def wanted(self, cursor: Cursor, rereads: Mapping[datetime.date, int | None]) -> bool:
        """Tell whether the comparison has something to ask that was not asked yet."""
        if not self._is_open:
            return False
        wanted = [inquiry.pick(cursor, rereads) for inquiry in self._inquiries]
        return any(wanted)

    def columns(self, cursor: Cursor, day: datetime.date) -> dict[str, object]:
        """Return what came of all of them, as columns of ``ropo.reconciliation``."""
        found: dict[str, object] = {
            "second_opinions_asked": 0,
            "second_opinions_cleared": 0,
            "second_opinions_note": None,
        }
        for inquiry in self._inquiries:
            found |= inquiry.columns(cursor, day)
        return found
