"""Alerts about business dates without a verdict: a run that never was gives no other sign."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.status_store.rows import rows_by_profile
from include.watch.alert import Matter
from include.watch.spans import Span
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_DAY = datetime.timedelta(days=1)


def missing_dates(
    cursor: Cursor, begun: Sequence[tuple[Profile, datetime.date]], now: datetime.datetime
) -> dict[str, list[datetime.date]]:
    """Return the business dates that ought to have a verdict by now and have none, in order, by profile.

    One made before the day was over does not count.

    :param begun: profiles, each with the first date that ought to have one.
    """
    if not begun:
        return {}
    spans = [Span(profile, first, last_due(profile, now, first)) for profile, first in begun]
    names = [span.profile.name for span in spans]
    zones = sorted({span.profile.timezone for span in spans})
    first = min(span.first for span in spans)
    values = {
        "profiles": names,
        "zones": [zones.index(span.profile.timezone) + 1 for span in spans],
        "firsts": [span.first for span in spans],
        "lasts": [span.last for span in spans],
        "first": first,
        "ends": _ends(spans, zones, first),
    }
    cursor.execute(statement("missing_dates"), values)
    gaps = rows_by_profile(cursor, names)
    return {name: [date for gap in gaps[name] for date in _dates(gap["first"], gap["last"])] for name in names}


def last_due(profile: Profile, now: datetime.datetime, first: datetime.date) -> datetime.date:
    """Return the newest date whose verdict is due, the day before ``first`` at the earliest."""
    last = profile.business_date(now) - _DAY
    while last >= first and profile.verdict_due_at(last) > now:
        last -= _DAY
    return last


def _ends(spans: Sequence[Span], zones: Sequence[str], first: datetime.date) -> list[list[datetime.datetime]]:
    """Return when each date from ``first`` on ends, by zone: many profiles share a few of them."""
    # One at least: PostgreSQL has no array of empty arrays.
    last = max(first, *(span.last for span in spans))
    of_zone = {span.profile.timezone: span.profile for span in spans}
    return [[of_zone[zone].day_end(date) for date in _dates(first, last)] for zone in zones]


def _dates(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    return (first + number * _DAY for number in range((last - first).days + 1))


def work_began(
    cursor: Cursor,
    profiles: Sequence[Profile],
    *,
    since: datetime.date | None = None,
    then: datetime.datetime | None = None,
) -> dict[str, datetime.date | None]:
    """Return the business date on which each profile's work began: its first poll, or the earliest that was reconciled.

    :param since: counts as the begin where neither is earlier.
    :param then: what was reconciled since of dates before it, as by a backfill, says nothing of the begin.
    :return: by profile; None where there is nothing of these.
    """
    names = [profile.name for profile in profiles]
    zones = [profile.timezone for profile in profiles]
    cursor.execute(statement("first_date"), {"profiles": names, "zones": zones, "since": since, "then": then})
    return dict(cursor.fetchall())


class MissingVerdicts:
    """Dates, from when the profile's work began, that ought to have a verdict by now and have none.

    :param since: counts as the begin where neither a poll nor a reconciliation is earlier.
    """

    name = "missing_verdict"
    plural = "business dates have no verdict"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime, *, since: datetime.date | None = None) -> None:
        self.profile = profile
        self.now = now
        self._since = since

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the dates as subjects."""
        # A backfill that reaches further back than all before it gets a day for the dates between.
        begun = work_began(cursor, [self.profile], since=self._since, then=self.now - _DAY)[self.profile.name]
        if begun is None:
            return {}
        watched = self.profile.business_date(self.now) - self.profile.watched_days * _DAY
        first = max(begun, self.profile.start_date, watched)
        missing = missing_dates(cursor, [(self.profile, first)], self.now)
        return {date.isoformat(): "" for date in missing[self.profile.name]}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return each date by its name."""
        hint = (
            "No reconciliation of it was recorded. See whether ropo_reconciliation has a run of this date: it may be "
            "late, have failed before it compared, or never have been made; backfill the date then"
        )
        return [Matter(title=f"{date} has no verdict by {self._due(date)}", lines=(hint,)) for date in subjects]

    def _due(self, date: str) -> str:
        """Return when a date was due, as the market's clocks show it on the next day."""
        due = self.profile.verdict_due_at(datetime.date.fromisoformat(date))
        return f"{due.astimezone(self.profile.zone):%H:%M}"
