"""What a schedule does: at which boundary which stop strikes. Its name says it all, so that it can be replayed.

``die@drain/land#2/commit:sent + die@recover/Recovery._tick#1/commit:before`` lets a first run die when its second
page's commit is sent and not yet acknowledged, and the run after it die before it ticks off its first date.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

JOINT = " + "


class Action(StrEnum):
    """What happens to a run that stands at a boundary.

    ``pass`` is nothing: the run stands there and goes on. ``second`` is another consumer that starts there and runs
    to its end. What is ``lost`` is the backend that holds the queue's lock, and with it the lock: its session is ended.
    """

    PASS = "pass"
    DIE = "die"
    SECOND = "second"
    SECOND_DIE = "second,die"
    LOST = "lost"
    LOST_DIE = "lost,die"
    LOST_SECOND = "lost,second"
    LOST_SECOND_DIE = "lost,second,die"

    @property
    def parts(self) -> list[str]:
        """What is done, in this order."""
        return self.value.split(",")

    @property
    def is_lethal(self) -> bool:
        """Whether the run ends there."""
        return "die" in self.parts


class Stop(msgspec.Struct, frozen=True):
    """An action at a boundary.

    :param point: the boundary's name, see ``boundaries.py``.
    """

    action: Action
    point: str

    def __str__(self) -> str:
        return f"{self.action}@{self.point}"


Schedule = tuple[Stop, ...]


def name(schedule: Schedule) -> str:
    """The name under which a schedule is replayed."""
    return JOINT.join(map(str, schedule)) or "undisturbed"


def named(text: str) -> Schedule:
    """The schedule of a name.

    :raises ValueError: if it is none.
    """
    if text == "undisturbed":
        return ()
    stops = []
    for part in text.split(JOINT.strip()):
        action, at, point = part.strip().partition("@")
        if not at or not point:
            raise ValueError(f"a stop is written ACTION@POINT, not {part!r}")
        stops.append(Stop(Action(action), point))
    return tuple(stops)


def runs(schedule: Schedule) -> list[Schedule]:
    """The stops of each run in turn: one that is lethal is its run's last."""
    parts: list[list[Stop]] = [[]]
    for stop in schedule:
        parts[-1].append(stop)
        if stop.action.is_lethal:
            parts.append([])
    return [tuple(part) for part in parts if part]


def has_late_request(schedule: Schedule) -> bool:
    """Whether a run may take a page after another consumer has judged its poll and re-read its dates, and then die.

    It had lost its lock, and its request had not left, or was not executed, when the other one ran: that is as late as
    an answer that a server gives to nobody. Such rows were recorded after the re-read, so that the next one shows them:
    that of the date's own reconciliation at the latest.
    """
    for stops in runs(schedule):
        lost = [
            place for place, stop in enumerate(stops) if "lost" in stop.action.parts and "second" in stop.action.parts
        ]
        if lost and lost[0] < len(stops) - 1 and stops[-1].action.is_lethal:
            return True
    return False
