"""What a row of Ropo One becomes: an event, or a rejection with its reason; and what the rows of an answer came to."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, overload

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Event(msgspec.Struct, frozen=True, gc=False):
    """A row of Ropo One, parsed.

    :param ordinal: its place in its answer, from 0.
    :param statusid: Ropo's id of the row; without one, a hash of the ten fields and the row's occurrence in its answer.
    :param statustime: the market's wall clock, as ISO text without a zone.
    :param raw: the row's JSON as it came, unknown fields included.
    """

    ordinal: int
    statusid: str
    jobid: str | None
    billnum: str | None
    statustype: str
    statustime: str
    statuscode: str
    statusref: str
    statustext: str
    paydate: str | None
    amount: str | None
    raw: msgspec.Raw


class Events(Sequence[Event]):
    """The events of an answer, held by columns: what is done to each of a thousand is done to a dozen lists.

    :param columns: one for each field of :class:`Event`, in their order, of one length; ``raw`` as bytes.
    """

    def __init__(self, columns: Iterable[list[Any]] | None = None) -> None:
        self.columns = [[] for _ in Event.__struct_fields__] if columns is None else list(columns)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Events:
        """Hold some events by columns."""
        *columns, raws = zip(*map(msgspec.structs.astuple, events), strict=True)
        return cls([*map(list, columns), [*map(bytes, raws)]])

    @property
    def statusids(self) -> list[str]:
        """Each event's."""
        return self.columns[_STATUSID]

    @property
    def days(self) -> frozenset[str]:
        """On which they are dated, as ISO text."""
        return frozenset(time[: len("YYYY-MM-DD")] for time in self.columns[_STATUSTIME])

    def extend(self, others: Events) -> None:
        """Add further events of the same answer."""
        for column, more in zip(self.columns, others.columns, strict=True):
            column.extend(more)

    def pick(self, places: Sequence[int]) -> Events:
        """Return the events at some places, in that order."""
        if len(places) < 2:  # of one place the values themselves would be picked
            return Events([[*map(column.__getitem__, places)] for column in self.columns])
        picked = itemgetter(*places)
        return Events([[*picked(column)] for column in self.columns])

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> Events: ...
    def __getitem__(self, place: int | slice) -> Event | Events:
        if isinstance(place, slice):
            return Events([column[place] for column in self.columns])
        return next(iter(self.pick([place])))

    def __iter__(self) -> Iterator[Event]:
        *columns, raws = self.columns
        return map(Event, *columns, map(msgspec.Raw, raws))

    def __len__(self) -> int:
        return len(self.statusids)


_STATUSID, _STATUSTIME = map(Event.__struct_fields__.index, ("statusid", "statustime"))


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that cannot be an event.

    :param ordinal: its place in its answer, from 0.
    :param error: why; names the field and the expected form, never the content, which may be personal data.
    """

    ordinal: int
    raw: bytes
    error: str


class ParsedPage(msgspec.Struct, frozen=True):
    """An answer's rows: each is in one of the two."""

    events: Events
    rejected: list[Rejected]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer's rows came to.

    :param new: events that the store did not have.
    :param revised: events that it had with other content.
    :param quarantined: rows that are no events.
    """

    new: int = 0
    revised: int = 0
    quarantined: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            new=self.new + other.new,
            revised=self.revised + other.revised,
            quarantined=self.quarantined + other.quarantined,
        )
