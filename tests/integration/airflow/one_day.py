"""What is made of today's date, on one date from its beginning to its end."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
HELSINKI = ZoneInfo("Europe/Helsinki")


def on_one_day(make: Callable[[datetime.date], T]) -> T:
    """Return what ``make`` makes of today in Helsinki; made anew where midnight passes meanwhile."""
    while True:
        today = datetime.datetime.now(HELSINKI).date()
        made = make(today)
        if datetime.datetime.now(HELSINKI).date() == today:
            return made
