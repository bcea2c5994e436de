"""Events made ready for the store: in the order of their key, each statusid once, as the lines of a COPY."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from include.status_store.copying import as_lines
from include.status_store.event import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from include.status_store.journal import Kind

# One look-up and one COPY each. A page of Ropo's is one batch; a long answer to a re-read is made ready bit by bit.
MOST_EVENTS = 1000
COPY = """
COPY ropo.status_event (
    profile, source, first_poll_id, content_poll_id, statusid, jobid, billnum, statustype, statustime, statuscode,
    statusref, statustext, paydate, amount, content_sha256, raw
) FROM STDIN
"""


class Batch(msgspec.Struct, frozen=True):
    """Events of which each has a statusid of its own, sorted by it.

    :param ids: their statusids, as a JSON list.
    :param lines: they themselves, for :data:`COPY`.
    """

    events: list[Event]
    ids: str
    lines: bytes


class Batches:
    """The events of an answer in batches, made each time that they are gone through.

    :param profile: and ``kind``, ``poll_id``: of the poll that brought them.
    """

    def __init__(self, events: Sequence[Event], *, profile: str, kind: Kind, poll_id: int) -> None:
        self._events = events
        self._constants = (profile, kind, str(poll_id), str(poll_id))

    def __iter__(self) -> Iterator[Batch]:
        for events in _rounds(self._events):
            # So that a drain and a re-read that bring the same rows cannot deadlock.
            events.sort(key=_statusid)
            for first in range(0, len(events), MOST_EVENTS):
                yield self.batch(events[first : first + MOST_EVENTS])

    def batch(self, events: list[Event]) -> Batch:
        """Make some events of a batch, in its order, a batch of their own."""
        if not events:
            return Batch([], "[]", b"")
        # An event's fields stand in the order of the table's columns.
        _, statusids, *columns, contents, raws = zip(*map(msgspec.structs.astuple, events), strict=True)
        constants = ([constant] * len(events) for constant in self._constants)
        hashes = [f"\\x{content}" for content in contents]
        lines = as_lines([*constants, statusids, *columns, hashes, [bytes(raw).decode() for raw in raws]])
        return Batch(events, msgspec.json.encode(statusids).decode(), lines)


def _rounds(events: Sequence[Event]) -> list[list[Event]]:
    """Split an answer that shows a statusid several times: each round shows it once, in the answer's order."""
    rounds: list[list[Event]] = []
    times_seen: dict[str, int] = {}
    for event in events:
        times = times_seen[event.statusid] = times_seen.get(event.statusid, -1) + 1
        if times == len(rounds):
            rounds.append([])
        rounds[times].append(event)
    return rounds


def _statusid(event: Event) -> str:
    return event.statusid
