"""Alerts about the queue: doubts that stay, a queue that is not emptied."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from include.config.wording import counted
from include.status_store.rows import named_rows
from include.watch.alert import Matter
from include.watch.statements import statement
from include.watch.topics import THE_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# A drain runs every 15 minutes: after this long without a 204 people are told, and so is who looks at the page.
PATIENCE = datetime.timedelta(hours=1)
_NEVER = (
    "So no change of this customer number is kept. Its connection is missing or invalid, or its queue is kept under "
    "another profile's name: was the profile renamed?",
    "What to do: read the line with the error of the task drain in the newest run of ropo_status_drain. "
    "`python -m include.config.check` checks the profiles file",
)


def is_late(newest_204: datetime.datetime | None, first_poll: datetime.datetime | None, now: datetime.datetime) -> bool:
    """Tell whether the newest 204, or else the first drain poll, is more than an hour ago; never polled is not late."""
    since = newest_204 or first_poll
    return since is not None and since <= now - PATIENCE


class OldDoubts:
    """Polls that are in doubt for more than an hour. One alert for all: in an outage each drain may leave another."""

    name = "old_doubts"
    plural = "groups of polls in doubt"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now
        self._known: dict[str, Any] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the one subject where there is such a poll."""
        self._known = _row(cursor, "old_doubts", {"profile": self.profile.name, "before": self.now - PATIENCE})
        return THE_ONE if self._known["polls"] else {}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return their number, age and window, and what stops their recovery."""
        known = self._known
        lines = [
            f"The oldest poll is of {self.profile.clock(known['oldest'])}. Each may have taken a page out of the "
            "queue; their dates are re-read until they are shown whole",
            f"Could not be proven harmless: {known['unproven']}. Left open by a process that died, to be judged by the "
            f"next drain: {known['open']}",
        ]
        if known["window_from"]:
            lines.insert(1, f"Business dates that they reach: {known['window_from']} to {known['window_to']}")
        lines += [f"Reason: {reason}" for reason in known["reasons"] or ()]
        if known["polls"] > known["open"]:
            lines.append(
                "What to do: `python -m include.status_store doubts` lists them, and `accept POLL --note …` accepts "
                "one that could not be proven, or with `--not-asked` one that cannot be asked about"
            )
        if known["open"]:
            lines.append(
                "Of one that was left open: the newest run of ropo_status_drain says what keeps its drain from the "
                "first poll, before which it is judged; then it is listed, too"
            )
        polls = counted(known["polls"], "poll has", "polls have")
        title = f"{polls} been in doubt for more than an hour"
        return [Matter(title=title, lines=tuple(lines), dag_id=known["dag_id"], run_id=known["run_id"])]


class NotEmptied:
    """No drain has seen the end of the queue (HTTP 204) for an hour, or none has ever asked for it.

    The watch runs after the drain, so that a profile without any poll has one that fails before its first.
    """

    name = "not_emptied"
    plural = "queues that are not emptied"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now
        self._known: dict[str, Any] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the one subject where the newest 204, else the first poll, is more than an hour ago or not there."""
        values = {"profile": self.profile.name, "since": self.now - PATIENCE, "now": self.now}
        self._known = _row(cursor, "newest_204", values)
        newest, first = self._known["newest"], self._known["first_poll"]
        return THE_ONE if first is None or is_late(newest, first, self.now) else {}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return since when, and what became of the polls of the last hour."""
        known = self._known
        if known["first_poll"] is None:
            return [Matter(title="the queue was never asked: no drain came as far as its first poll", lines=_NEVER)]
        newest = f"The newest was at {self.profile.clock(known['newest'])}" if known["newest"] else "There was none"
        polls = ", ".join(f"{count} {outcome}" for outcome, count in sorted(known["outcomes"].items())) or "none"
        lines = (
            f"{newest}. Drain polls of the last hour: {polls}; they brought {counted(known['events'], 'new event')}",
            "`landed` alone: a backlog is being drained, or Ropo One asks for pauses. `unsent` or `refused`: Ropo One "
            "is not reached or refuses. `in_doubt`: answers do not come whole. None: no drain came as far as its first "
            "poll (the connection is missing or invalid, or the queue is another profile's), none began, another one "
            "holds the queue, or Ropo One has asked not to be polled for now (Retry-After)",
            "What to do: read the line with the error in the drain's newest run",
        )
        return [
            Matter(
                title="the queue was not emptied for more than an hour (no HTTP 204)",
                lines=lines,
                dag_id=known["dag_id"],
                run_id=known["run_id"],
            )
        ]


def _row(cursor: Cursor, name: str, values: dict[str, object]) -> dict[str, Any]:
    cursor.execute(statement(name), values)
    [found] = named_rows(cursor)
    return found
