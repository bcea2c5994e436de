"""The polls of each day as bars: where each piece stands in the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.page_data.polls import OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from include.page_data.polls import PollDay

_STEP, _BAR = 40, 32
# Room above for the marks of doubts, below for the dates.
_ABOVE, _DRAWN, _BELOW = 18, 132, 22
# A single poll in doubt among a hundred others must be seen.
_LEAST = 3


@dataclass(frozen=True)
class Piece:
    """The polls of one outcome."""

    outcome: str
    top: float
    tall: float


@dataclass(frozen=True)
class Bar:
    """A day."""

    day: PollDay
    left: int
    top: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class PollChart:
    """The drawing.

    :param totals: polls by outcome over all days, of the outcomes there are.
    """

    bars: tuple[Bar, ...]
    totals: dict[str, int]
    width: int
    height: int = _ABOVE + _DRAWN + _BELOW
    bar_width: int = _BAR


def draw(days: Sequence[PollDay]) -> PollChart:
    """Draw the days from left to right, each day's outcomes from bottom to top."""
    most = max([1, *(day.total for day in days)])
    totals = {name: sum(day.polls.get(name, 0) for day in days) for name in OUTCOMES}
    return PollChart(
        bars=tuple(_bar(day, place, most) for place, day in enumerate(days)),
        totals={name: polls for name, polls in totals.items() if polls},
        width=len(days) * _STEP,
    )


def _bar(day: PollDay, place: int, most: int) -> Bar:
    top = float(_ABOVE + _DRAWN)
    room = _DRAWN - _LEAST * len(OUTCOMES)
    pieces = []
    for outcome in OUTCOMES:
        if polls := day.polls.get(outcome):
            tall = round(_LEAST + polls / most * room, 1)
            top = round(top - tall, 1)
            pieces.append(Piece(outcome, top, tall))
    return Bar(day=day, left=place * _STEP, top=top, pieces=tuple(pieces))
