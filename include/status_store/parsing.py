"""From the rows of an answer to events, or to the reason why one of them cannot be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.status_store.columns import to_events
from include.status_store.decoding import decode
from include.status_store.event import Events, ParsedPage, Rejected
from include.status_store.fields import RowError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

# Of a longer answer, a row that is no event concerns its own part only.
ROWS_AT_ONCE = 1000


def parse_rows(rows: Iterable[bytes], zone: ZoneInfo) -> ParsedPage:
    """Parse an answer's rows.

    :param zone: the market's, for a ``statustime`` that names an offset (none was ever seen to).
    """
    rows = list(rows)
    parsing = _Parsing(zone)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        parsing.take(rows[first : first + ROWS_AT_ONCE], first)
    return parsing.page


class _Parsing:
    def __init__(self, zone: ZoneInfo) -> None:
        self.page = ParsedPage(Events(), [])
        self._zone = zone
        self._occurrences: dict[str, int] = {}

    def take(self, rows: list[bytes], first: int) -> None:
        """Parse rows at once, halving around those that are no events until each of these stands alone.

        :param first: the first one's place in the answer.
        """
        try:
            events = to_events(rows, decode(rows), self._zone, first=first, occurrences=self._occurrences)
        except RowError as error:
            if len(rows) == 1:
                self.page.rejected.append(Rejected(ordinal=first, raw=rows[0], error=str(error)))
            else:
                middle = len(rows) // 2
                self.take(rows[:middle], first)
                self.take(rows[middle:], first + middle)
        else:
            self.page.events.extend(events)
