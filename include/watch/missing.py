"""Alerts about business dates without a verdict: a run that never was gives no other sign."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.status_store.rows import only_row
from include.watch.alert import Matter
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_DAY = datetime.timedelta(days=1)


def missing_dates(
    cursor: Cursor, profile: Profile, now: datetime.datetime, *, first: datetime.date
) -> list[datetime.date]:
    """Return the business dates from ``first`` on that ought to have a verdict by now and have none, in order.

    A reconciliation of a day that was not over is none.
    """
    last = profile.business_date(now) - _DAY
    while last >= first and profile.verdict_due_at(last) > now:
        last -= _DAY
    dates = [first + number * _DAY for number in range((last - first).days + 1)]
    ends = [profile.day_end(date) for date in dates]
    cursor.execute(statement("missing_dates"), {"profile": profile.name, "dates": dates, "ends": ends})
    return [date for (date,) in cursor.fetchall()]


def work_began(cursor: Cursor, profile: Profile, since: datetime.date | None = None) -> datetime.date | None:
    """Return the business date on which a profile's work began: its first poll, or the earliest that was reconciled.

    :param since: counts as the begin where neither is earlier.
    :return: None where there is nothing of these.
    """
    cursor.execute(statement("first_date"), {"profile": profile.name, "zone": profile.timezone, "since": since})
    began: datetime.date | None = only_row(cursor)[0]
    return began


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
        begun = work_began(cursor, self.profile, self._since)
        if begun is None:
            return {}
        watched = self.profile.business_date(self.now) - self.profile.watched_days * _DAY
        first = max(begun, self.profile.start_date, watched)
        return {date.isoformat(): "" for date in missing_dates(cursor, self.profile, self.now, first=first)}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return each date by its name."""
        hint = (
            "No reconciliation of it was recorded. See whether ropo_reconciliation has a run of this date: it may be "
            "late, have failed before it compared, or never have been made; backfill the date then"
        )
        due = self.profile.alerts.deadline_hour
        return [Matter(title=f"{date} has no verdict by {due:02}:00", lines=(hint,)) for date in subjects]
