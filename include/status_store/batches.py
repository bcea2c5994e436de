"""Events made ready for the store: in the order of their key, each statusid once, as the lines of a COPY."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from include.status_store.content import contents
from include.status_store.copying import as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from include.status_store.event import Events
    from include.status_store.journal import Kind

# One look-up and one COPY each. A page of Ropo's is one batch; a long answer to a re-read is made ready bit by bit.
MOST_EVENTS = 1000
COLUMNS = """
    profile, source, first_poll_id, content_poll_id, statusid, jobid, billnum, statustype, statustime, statuscode,
    statusref, statustext, paydate, amount, raw
"""
COPY = f"COPY ropo.status_event ({COLUMNS}) FROM STDIN"


class Batch:
    """Events of which each has a statusid of its own, sorted by it.

    :param constants: what the lines of all of them begin with: the columns in which they are the same.
    :param superseded: statusids that the answer shows once more, further down.
    """

    def __init__(self, events: Events, constants: str, superseded: frozenset[str] = frozenset()) -> None:
        self.events = events
        self.superseded = superseded
        self._constants = constants

    @cached_property
    def lines(self) -> bytes:
        """The events, for :data:`COPY` or another table with :data:`COLUMNS`; made where they are first asked for."""
        # An event's fields stand in the order of the table's columns.
        _, *columns, raws = self.events.columns
        return as_lines([*columns, [*map(bytes.decode, raws)]], before=self._constants)

    @cached_property
    def contents(self) -> dict[str, str]:
        """The hash of each event's content, by its statusid."""
        return contents(self.events)

    @cached_property
    def days(self) -> frozenset[str]:
        """On which the events are dated."""
        return self.events.days

    def make_ready(self) -> Self:
        """Make the lines and days now, so that whoever asks for them need not wait."""
        _ = self.lines, self.days
        return self


class Batches:
    """The events of an answer in batches, made each time that they are gone through.

    :param profile: and ``kind``, ``poll_id``: of the poll that brought them.
    """

    def __init__(self, events: Events, *, profile: str, kind: Kind, poll_id: int) -> None:
        self._events = events
        # No name of a profile has what COPY would take for something else.
        self._constants = "\t".join((profile, kind, str(poll_id), str(poll_id), ""))

    def __iter__(self) -> Iterator[Batch]:
        statusids = self._events.statusids
        rounds = _rounds(statusids)
        for places, later in zip(rounds, [*rounds[1:], []], strict=True):
            superseded = frozenset(map(statusids.__getitem__, later))
            # So that a drain and a re-read that bring the same rows cannot deadlock.
            ordered = sorted(places, key=statusids.__getitem__)
            for first in range(0, len(ordered), MOST_EVENTS):
                yield self.batch(self._events.pick(ordered[first : first + MOST_EVENTS]), superseded)

    def batch(self, events: Events, superseded: frozenset[str] = frozenset()) -> Batch:
        """Make some events of a batch, in its order, a batch of their own."""
        return Batch(events, self._constants, superseded)


def _rounds(statusids: Sequence[str]) -> list[list[int]]:
    """Split an answer that shows a statusid several times: each round has the places of one showing, in their order."""
    if len(set(statusids)) == len(statusids):
        return [[*range(len(statusids))]]
    rounds: list[list[int]] = []
    times_seen: dict[str, int] = {}
    for place, statusid in enumerate(statusids):
        times = times_seen[statusid] = times_seen.get(statusid, -1) + 1
        if times == len(rounds):
            rounds.append([])
        rounds[times].append(place)
    return rounds
