"""What every play settles of the simulated Ropo One: pages of few rows, and the market's day."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from include.simulator import effects, ropo

if TYPE_CHECKING:
    from collections.abc import Callable

    SetValue = Callable[[object, str, object], None]


def small_pages(set_value: SetValue, rows: int) -> None:
    """Let the simulator's pages be of so many rows, so that few rows are many pages.

    :param set_value: sets a module's value, as ``setattr`` does; a test's takes it back in the end.
    """
    for module in (effects, ropo):
        set_value(module, "PAGE_SIZE", rows)


def today() -> datetime.date:
    """Return the market's day."""
    return datetime.datetime.now(ZoneInfo("Europe/Helsinki")).date()
