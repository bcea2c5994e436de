"""What waits before the books can be judged: doubts, polls left open, what was not read, a queue not emptied."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.page_data.statements import row_of_each
from include.status_store.journal import LEFT_OPEN_AFTER
from include.watch.consumer import LOOK_BACK
from include.watch.queue import is_late

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What waits, in counts (``waiting.sql``).

    :param quarantined: rows; ``unparsed``: whole pages.
    :param left_open: drain polls of processes that died, which the next drain judges.
    :param undrained: changes of late that no drain brought: another consumer of the queue.
    :param doubts: drain polls that ended in doubt, by what became of them.
    :param newest_204: when Ropo One last said that nothing is left.
    :param first_poll: when the queue was first asked; None where it never was.
    """

    quarantined: int
    unparsed: int
    left_open: int
    undrained: int
    doubts: dict[str, int]
    newest_204: datetime.datetime | None
    first_poll: datetime.datetime | None

    @property
    def pending(self) -> int:
        """Doubts that are being re-read."""
        return self.doubts.get("pending", 0)

    @property
    def unproven(self) -> int:
        """Doubts that wait for a person."""
        return self.doubts.get("unproven", 0)

    @property
    def in_doubt(self) -> int:
        """Polls that are neither recovered nor accepted."""
        return self.pending + self.unproven

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits; a queue that is not emptied is told by :meth:`is_late`."""
        return not (self.quarantined or self.unparsed or self.left_open or self.undrained or self.in_doubt)

    def is_late(self, now: datetime.datetime) -> bool:
        """Tell whether the queue was not emptied for as long as people are told of it."""
        return is_late(self.newest_204, self.first_poll, now)


def read_waiting(cursor: Cursor, profiles: Sequence[str], now: datetime.datetime) -> dict[str, Waiting]:
    """Return what waits, by profile."""
    values = {"now": now, "open_before": now - LEFT_OPEN_AFTER, "undrained_since": now - LOOK_BACK}
    return row_of_each(cursor, Waiting, "waiting", profiles, values)
