"""A run under a watch, in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from faults import consumer
from faults.crash_points.boundaries import Watch
from faults.turns import AtLast, AtOnce
from include.status_store import storing

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe

    from faults.consumer import Task


# A drain that stores events only when it must: once no more pages may wait, or at its end; others before the next poll.
LATE = "drain-late"
# Of three pages the first must be stored once the third has landed, the others at the end.
BEHIND_LATE = 2


class Told(msgspec.Struct, frozen=True):
    """What a run says at its end.

    :param drain: and ``recovery``: see :mod:`faults.consumer`.
    :param trace: the boundaries that it passed.
    :param missed: the stops that it did not come to.
    """

    drain: str
    recovery: str
    trace: list[str]
    missed: list[str]


def consume(task: Task, points: list[str], pipe: Pipe) -> None:
    """The process: a run, which says ``("done", Told)`` in the end."""
    task.be()
    watch = Watch(points, pipe)
    late = any(point.startswith(LATE) for point in points)
    if late:
        storing.MOST_BEHIND = BEHIND_LATE
    watch.phase = LATE if late else "drain"
    drained = consumer.drain(task, AtLast if late else AtOnce)
    watch.phase = "recover"
    recovered = consumer.recover(task)
    watch.phase = "end"
    pipe.send(("done", Told(drained, recovered, watch.trace, watch.missed)))
