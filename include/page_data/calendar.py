"""Business dates by verdict, as weeks of days."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Verdict
from include.page_data.statements import rows_of, rows_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

WEEKS = 26
_WEEK = datetime.timedelta(days=7)


class DateVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The latest reconciliation of a business date (``calendar.sql``, ``latest_date.sql``)."""

    business_date: datetime.date
    reconciliation_id: int
    verdict: Verdict
    population: int
    matched: int
    pending: int
    breaks: int
    accepted: int

    @property
    def differing(self) -> int:
        """Invoices that do not agree, for whatever reason they count or not."""
        return self.population - self.matched


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the calendar.

    :param found: its latest reconciliation; None where it was never compared.
    :param is_expected: it is over, and not before the profile's first date of interest.
    """

    date: datetime.date
    found: DateVerdict | None
    is_expected: bool

    @property
    def verdict(self) -> str:
        """The verdict's word; ``no_run`` where there is none."""
        return self.found.verdict if self.found else "no_run"


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Weeks from Monday to Sunday, the oldest first."""

    weeks: list[list[Day]]

    @property
    def days(self) -> list[Day]:
        """Every day, the oldest first."""
        return [day for week in self.weeks for day in week]

    @property
    def first(self) -> datetime.date:
        """The first Monday."""
        return self.weeks[0][0].date

    @property
    def last(self) -> datetime.date:
        """The last Sunday."""
        return self.weeks[-1][-1].date


def read_calendar(
    cursor: Cursor,
    profile: str,
    *,
    until: datetime.date,
    today: datetime.date,
    start: datetime.date,
) -> Calendar:
    """Return the :data:`WEEKS` weeks that end with the one of ``until``.

    :param today: the market's day; it and later ones are not over.
    :param start: the profile's first business date of interest.
    """
    monday = until - datetime.timedelta(days=until.weekday())
    first = monday - (WEEKS - 1) * _WEEK
    last = monday + datetime.timedelta(days=6)
    rows = rows_of(cursor, DateVerdict, "calendar", {"profile": profile, "first": first, "last": last})
    found = {row.business_date: row for row in rows}
    days = [first + datetime.timedelta(days=place) for place in range(WEEKS * 7)]
    shown = [Day(date=date, found=found.get(date), is_expected=start <= date < today) for date in days]
    return Calendar(weeks=[shown[place : place + 7] for place in range(0, len(shown), 7)])


def read_latest_dates(cursor: Cursor, profiles: Sequence[Profile]) -> dict[str, DateVerdict]:
    """Return each profile's newest business date of interest that was compared; those without any are left out."""
    names, starts = [profile.name for profile in profiles], [profile.start_date for profile in profiles]
    found = rows_of_each(cursor, DateVerdict, "latest_date", names, {"starts": starts})
    return {name: rows[0] for name, rows in found.items() if rows}
