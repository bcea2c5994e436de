"""The overview: the state of a profile's books at a glance."""

from __future__ import annotations

import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from include.page_data.calendar import read_calendar
from reconciliation_page.page import PageOf
from reconciliation_page.stores import Reading

router = APIRouter()


@router.get("/")
def overview(page: PageOf, cursor: Reading, until: Annotated[datetime.date | None, Query()] = None) -> HTMLResponse:
    """Show the calendar, the open breaks and the drain's health.

    :param until: a day of the last week of the calendar; by default today's.
    """
    profile = page.profile
    calendar = read_calendar(
        cursor, profile.name, until=until or page.today, today=page.today, start=profile.start_date
    )
    return page.render("overview.html", calendar=calendar)
