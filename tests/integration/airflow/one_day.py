"""What is made of today's date, on one date from its beginning to its end."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
HELSINKI = ZoneInfo("Europe/Helsinki")


def on_one_day(make: Callable[[datetime.date], T], *, late: datetime.timedelta = datetime.timedelta(0)) -> T:
    """Return what ``make`` makes of today in Helsinki; made anew where midnight passes meanwhile.

    :param late: so long after midnight today begins; until then it is yesterday. Midnight counts all the same.
    """
    while True:
        begun, today = _days(late)
        made = make(today)
        if _days(late) == (begun, today):
            return made


def _days(late: datetime.timedelta) -> tuple[datetime.date, datetime.date]:
    """Return the date of now, and of so long ago."""
    now = datetime.datetime.now(HELSINKI)
    return now.date(), (now - late).date()
