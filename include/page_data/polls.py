"""The journal of polls, and what of it waits for a person."""

from __future__ import annotations

import datetime
from collections import defaultdict
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from include.page_data.statements import rows_of, statement
from include.status_store.attention import dismissed_by
from include.status_store.database import LARGEST_ID
from include.status_store.journal import Kind
from include.status_store.rows import only_row

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

DAYS = 30
POLLS_SHOWN = 50
DOUBTS_SHOWN = 50
ROWS_SHOWN = 100
# From the best to the worst, as they are drawn.
OUTCOMES = ("landed", "empty", "open", "unsent", "refused", "in_doubt")
KINDS: tuple[Kind, ...] = get_args(Kind)


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True):
    """A day's polls of one outcome (``poll_days.sql``)."""

    day: datetime.date
    outcome: str
    polls: int
    new_count: int


class PollDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day's polls.

    :param polls: by outcome, those there were.
    """

    date: datetime.date
    polls: dict[str, int]
    new_count: int

    @property
    def total(self) -> int:
        """How many polls."""
        return sum(self.polls.values())


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the journal (``polls.sql``).

    :param parse_error: set where the events of its page wait for what can take them.
    """

    poll_id: int
    kind: str
    filter_value: str | None
    outcome: str
    http_status: int | None
    row_count: int | None
    new_count: int | None
    revised_count: int | None
    quarantined_count: int | None
    possibly_cut: bool | None
    completeness: str | None
    absent_count: int | None
    opened_at: datetime.datetime
    error: str | None
    recovery: str | None
    dag_id: str | None
    run_id: str | None
    parse_error: str | None


class AskedDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a window that a re-read asked for.

    :param is_shown: the answer was whole and showed every event held for the date; else ``reason`` says why not.
    """

    date: datetime.date
    is_shown: bool
    brought: int
    reason: str | None


class DoubtfulPoll(msgspec.Struct, frozen=True, kw_only=True):
    """A drain poll in doubt, and its recovery (``doubts.sql``).

    :param bounded: there was no 204 before it, so that its window starts at the profile's ``start_date``.
    """

    poll_id: int
    opened_at: datetime.datetime
    http_status: int | None
    error: str | None
    window_from: datetime.date
    window_to: datetime.date
    bounded: bool
    recovery: Literal["pending", "recovered", "unproven", "accepted"]
    recovery_reason: str | None
    recovered_count: int | None
    recovered_at: datetime.datetime | None
    accepted_by: str | None
    accepted_note: str | None
    dag_id: str | None
    run_id: str | None
    asked: list[AskedDate]

    @property
    def days(self) -> int:
        """How many dates the window has."""
        return (self.window_to - self.window_from).days + 1

    @property
    def shown(self) -> int:
        """How many of them a re-read has shown whole."""
        return sum(date.is_shown for date in self.asked)

    @property
    def brought(self) -> int:
        """How many events the re-reads of its window brought."""
        return sum(date.brought for date in self.asked)


class QuarantinedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could not be taken as an event (``quarantine.sql``).

    :param raw: its bytes; personal data.
    """

    quarantine_id: int
    poll_id: int
    ordinal: int
    times_seen: int
    first_seen_at: datetime.datetime
    error: str
    raw: memoryview

    @property
    def text(self) -> str:
        """The raw row for people; bytes that are no text stand as ``\\xNN``."""
        return bytes(self.raw).decode("utf-8", errors="backslashreplace")


def read_days(cursor: Cursor, profile: Profile, today: datetime.date) -> list[PollDay]:
    """Return the newest :data:`DAYS` days with their polls, the oldest first, those without any too."""
    first = today - datetime.timedelta(days=DAYS - 1)
    parameters = {"profile": profile.name, "zone": profile.timezone, "since": profile.midnight(first)}
    by_day: dict[datetime.date, list[OutcomeCount]] = defaultdict(list)
    for row in rows_of(cursor, OutcomeCount, "poll_days", parameters):
        by_day[row.day].append(row)
    return [
        PollDay(
            date=date,
            polls={row.outcome: row.polls for row in by_day[date]},
            new_count=sum(row.new_count for row in by_day[date]),
        )
        for date in (first + datetime.timedelta(days=place) for place in range(DAYS))
    ]


def read_polls(
    cursor: Cursor, profile: str, *, kind: str | None, outcome: str | None, below: int | None
) -> tuple[list[Poll], int | None]:
    """Return a page of the journal, the newest first.

    :param below: only polls with smaller ids; None begins at the newest.
    :return: at most :data:`POLLS_SHOWN` polls, and ``below`` of the next page, None where there is none.
    """
    parameters = {"kind": kind, "outcome": outcome, "below": below or LARGEST_ID, "limit": POLLS_SHOWN + 1}
    found = rows_of(cursor, Poll, "polls", {"profile": profile, **parameters})
    shown = found[:POLLS_SHOWN]
    return shown, shown[-1].poll_id if len(found) > POLLS_SHOWN else None


def read_doubts(cursor: Cursor, profile: str) -> list[DoubtfulPoll]:
    """Return the drain polls in doubt, at most :data:`DOUBTS_SHOWN`: those that wait first, then the newest."""
    return rows_of(cursor, DoubtfulPoll, "doubts", {"profile": profile, "limit": DOUBTS_SHOWN})


def read_quarantine(cursor: Cursor, profile: str) -> list[QuarantinedRow]:
    """Return rows that wait in quarantine, the oldest :data:`ROWS_SHOWN`."""
    return rows_of(cursor, QuarantinedRow, "quarantine", {"profile": profile, "limit": ROWS_SHOWN})


def is_settled(
    cursor: Cursor, profile: str, what: Literal["accepted", "dismissed"], settled_id: int, *, by: str
) -> bool:
    """Tell whether a person has accepted this doubt, or dismissed this row of the quarantine."""
    cursor.execute(
        statement("settled"), {"profile": profile, "id": settled_id, "by": by, "dismissed_by": dismissed_by(by)}
    )
    is_accepted, is_dismissed = only_row(cursor)
    return bool(is_accepted if what == "accepted" else is_dismissed)
