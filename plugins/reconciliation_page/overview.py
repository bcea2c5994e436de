"""The overview: the state of a profile's books at a glance."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from include.page_data.calendar import WEEKS, read_calendar
from include.page_data.drain_health import PATIENCE, read_drain_health
from include.page_data.open_breaks import read_open_breaks
from reconciliation_page.page import PageOf
from reconciliation_page.parameters import DateInQuery
from reconciliation_page.stores import Reading

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from include.page_data.calendar import Calendar, Day

router = APIRouter()

# Of the dates that need somebody this many are named; the calendar shows them all.
NAMED = 8


@router.get("/")
def overview(
    page: PageOf,
    cursor: Reading,
    until: DateInQuery = None,
) -> HTMLResponse:
    """Show the calendar, the open breaks and the drain's health.

    :param until: a day of the last week of the calendar; by default today's.
    """
    profile, today = page.profile, page.today
    last = until or today
    calendar = read_calendar(cursor, profile.name, until=last, today=today, start=profile.start_date)
    health = read_drain_health(cursor, profile, page.now)
    # The figures and what needs somebody are of today, whatever weeks the calendar shows.
    now = read_calendar(cursor, profile.name, until=today, today=today, start=profile.start_date) if until else calendar
    latest = [day for day in now.days if day.found]
    return page.render(
        "overview.html",
        calendar=calendar,
        latest=latest[-1] if latest else None,
        needing=_needing(now),
        never_run=sum(day.is_expected and day.found is None for day in calendar.days),
        open_breaks=read_open_breaks(cursor, profile, today),
        health=health,
        is_late=health.newest_empty is None or page.now - health.newest_empty > PATIENCE,
        lag=_lag(page.now, health.newest_event, profile.zone),
        earlier=last - datetime.timedelta(weeks=WEEKS),
        later=last + datetime.timedelta(weeks=WEEKS) if until and until < today else None,
        today=today,
    )


def _needing(calendar: Calendar) -> list[Day]:
    needing = [day for day in calendar.days if day.verdict in ("breaks", "incomplete")]
    return needing[: -NAMED - 1 : -1]


def _lag(now: datetime.datetime, newest: datetime.datetime | None, zone: ZoneInfo) -> datetime.timedelta | None:
    return None if newest is None else now - newest.replace(tzinfo=zone)
