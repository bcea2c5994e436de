"""Which schedules there are: every stop alone, and in pairs over the three pages of the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults.crash_points.consumer import LATE
from faults.crash_points.stops import Action, Schedule, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from faults.crash_points.stage import Played

    Play = Callable[[Iterable[Schedule]], Iterator[Played]]

# The second page is lost with its process: what follows has a doubt to recover.
LOSS = Stop(Action.DIE, "drain/RopoOneHook._poll_once#2/request:answered")
# Of a pair's second stop: the others change nothing for the run that it strikes.
SECOND_OF_A_PAIR = (Action.DIE, Action.SECOND_DIE, Action.LOST_SECOND)
ACTIONS = tuple(action for action in Action if action is not Action.PASS)
LIVING = tuple(action for action in ACTIONS if not action.is_lethal)
# Nothing disturbs it.
CLEAN_LATE = Stop(Action.PASS, f"{LATE}/QueueLock.acquire#1/lock:before")


class Points:
    """The boundaries of a run, found by letting one pass them.

    :param clean: of runs that nothing disturbs, one that stores events before the next poll and one that stores them
        late; ``after_loss``: of the run after one that lost a page.
    """

    def __init__(self, play: Play) -> None:
        early, late, lossy = play([(), (CLEAN_LATE,), (LOSS,)])
        self.wrong = early.wrong + late.wrong + lossy.wrong
        self.clean = [point for clean in (early, late) for point in (clean.traces[0] if clean.traces else [])]
        self.clean = list(dict.fromkeys(self.clean))
        self.after_loss = lossy.traces[0] if lossy.traces else []

    def singles(self, actions: Sequence[Action] = ACTIONS) -> Iterator[Schedule]:
        """Every boundary alone: of a drain, and of a recovery, which takes a loss before it."""
        for action in actions:
            yield from ((Stop(action, point),) for point in self.clean)
            yield from ((LOSS, Stop(action, point)) for point in self.after_loss if point.startswith("recover/"))


def pairs(played: Iterable[Played]) -> Iterator[Schedule]:
    """The pairs that begin with these single stops: each boundary of the next run, or of the same one where it lives.

    :param played: single stops of a drain, with what ran after them.
    """
    for first in played:
        (stop,) = first.schedule
        if stop.action is Action.DIE:
            yield from ((stop, Stop(action, point)) for point in first.traces[0] for action in SECOND_OF_A_PAIR)
        elif stop.action in LIVING:
            # Another consumer that started there has told its trace before.
            trace = first.traces["second" in stop.action.parts]
            later = trace[trace.index(stop.point) + 1 :]
            yield from ((stop, Stop(Action.DIE, point)) for point in later)
