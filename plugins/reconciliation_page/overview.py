"""The overview: the state of a profile's books at a glance."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from include.config.business_dates import FIRST_DATE
from include.page_data.break_knowledge import read_knowledge
from include.page_data.calendar import WEEKS, read_calendar, read_latest_dates
from include.page_data.drain_health import read_drain_health
from include.page_data.needing import lacking_since, read_needing, read_never_compared
from include.page_data.no_longer_open import count_no_longer_open
from include.page_data.open_again import count_open_again_of
from include.page_data.open_breaks import read_open_breaks
from include.page_data.signed_months import read_months_needing
from include.page_data.waiting import read_waiting
from reconciliation_page.page import PageOf
from reconciliation_page.parameters import DateInQuery
from reconciliation_page.stores import Reading

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

router = APIRouter()

# Of what needs somebody this many are named, until all are asked for.
NAMED = 7
_SPAN = datetime.timedelta(weeks=WEEKS)


@router.get("/")
def overview(
    page: PageOf,
    cursor: Reading,
    until: DateInQuery = None,
    needing: Annotated[Literal["", "all"], Query()] = "",
) -> HTMLResponse:
    """Show what needs somebody, the calendar, the open breaks and the drain's health.

    :param until: a day of the last week of the calendar; by default today's. All else is of today, whatever it is.
    :param needing: ``all``: each date and signed month that needs somebody; by default :data:`NAMED` of each.
    """
    profile, today = page.profile, page.today
    last = until or today
    waiting = read_waiting(cursor, [profile.name], page.now)[profile.name]
    health = read_drain_health(cursor, profile, page.now)
    latest = read_latest_dates(cursor, [profile])
    found = read_needing(cursor, [profile], page.now, latest)[profile.name]
    named = found if needing else found[:NAMED]
    months = read_months_needing(cursor, [profile], page.now)[profile.name]
    named_months = months if needing else months[:NAMED]
    calendar = read_calendar(cursor, profile.name, until=last, today=today, start=max(profile.start_date, FIRST_DATE))
    compared = [*latest.values(), *(day.found for day in calendar.days if day.found)]
    return page.render(
        "overview.html",
        calendar=calendar,
        open_again=count_open_again_of(cursor, compared),
        past_grace={each.last: each.past_grace for each in found if each.past_grace},
        rechecked_from=profile.rechecked_from(today),
        latest=latest.get(profile.name),
        begins_ahead=profile.begins_ahead(page.now),
        lacking=lacking_since(latest.get(profile.name), found),
        needing=named,
        closed=count_no_longer_open(cursor, [each.recorded_id for each in named if each.recorded_id]),
        never_compared=read_never_compared(cursor, profile),
        further=sum(each.days for each in found[len(named) :]),
        months=named_months,
        further_months=len(months) - len(named_months),
        open_breaks=read_open_breaks(cursor, profile, today),
        caveat=read_knowledge(cursor, [profile], page.now)[profile.name].caveat,
        waiting=waiting,
        health=health,
        is_late=waiting.is_late(page.now),
        lag=_lag(page.now, health.newest_event, profile.zone),
        earlier=last - _SPAN if last - _SPAN >= FIRST_DATE else None,
        later=last + _SPAN if until and until < today else None,
        until=until,
        today=today,
    )


def _lag(now: datetime.datetime, newest: datetime.datetime | None, zone: ZoneInfo) -> datetime.timedelta | None:
    return None if newest is None else now - newest.replace(tzinfo=zone)
