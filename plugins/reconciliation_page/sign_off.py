"""The sign-off of a month: how it stands, each condition that does not hold with the way to it, and both signatures."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form, Query, status
from fastapi.responses import HTMLResponse, Response
from psycopg2.extensions import cursor as Cursor

from include.reconciliation.sign_off_conditions import FULL_DAG_ID, last_day, parse_period
from include.reconciliation.signing import SignOffError, accept_incompleteness, countersign, period_status, sign
from reconciliation_page.access import FOR_EDITORS
from reconciliation_page.page import Page, PageOf
from reconciliation_page.parameters import DateInPath, MonthInForm, MonthInPath, MonthInQuery, Note
from reconciliation_page.stores import Reading, StoreBusyError, changing

if TYPE_CHECKING:
    from include.reconciliation.sign_off_conditions import Unmet

router = APIRouter()

Done = Literal["signed", "countersigned", "accepted", ""]

_STATE_OF = {"pending": "pending", "open_breaks": "break", "full_open_breaks": "break"}


@router.get("/sign-off")
def choose_month(page: PageOf, month: MonthInQuery = None) -> Response:
    """Go to a month: the one that was chosen, else the last that is over."""
    last_of_previous = page.today.replace(day=1) - datetime.timedelta(days=1)
    return page.go_to(f"sign-off/{month or f'{last_of_previous:%Y-%m}'}")


@router.get("/sign-off/{month}")
def show_month(page: PageOf, cursor: Reading, month: MonthInPath, done: Annotated[Done, Query()] = "") -> HTMLResponse:
    """Show how a month stands."""
    return _shown(page, cursor, month, done=done)


@router.post("/sign-off/{month}/{signature}", dependencies=FOR_EDITORS)
def sign_month(
    page: PageOf, cursor: Reading, month: MonthInPath, signature: Literal["sign", "countersign"], note: Note = ""
) -> Response:
    """Sign or countersign a month."""
    put = sign if signature == "sign" else countersign
    try:
        with changing() as session, session.transaction() as writing:
            put(writing, page.profile, parse_period(month), by=page.user.get_name(), note=note.strip() or None)
    except (SignOffError, StoreBusyError) as error:
        return _shown(page, cursor, month, problem=f"{error}.", note=note)
    return page.go_to(f"sign-off/{month}", done="signed" if signature == "sign" else "countersigned")


@router.post("/dates/{date}/incomplete", dependencies=FOR_EDITORS)
def accept_incomplete(
    page: PageOf,
    cursor: Reading,
    date: DateInPath,
    scope: Annotated[Literal["date", "full"], Form()],
    month: MonthInForm,
    reconciliation: Annotated[int, Form(ge=1)],
    note: Note = "",
) -> Response:
    """Accept that a date, or a full comparison, stays incomplete: for the reasons that were shown."""
    if not note.strip():
        return _shown(page, cursor, month, problem="Write a note: it says later why this was accepted.")
    try:
        with changing() as session, session.transaction() as writing:
            accept_incompleteness(
                writing, page.profile, date, by=page.user.get_name(), note=note, scope=scope, shown=reconciliation
            )
    except (SignOffError, StoreBusyError) as error:
        return _shown(page, cursor, month, problem=f"{error}.", note=note)
    return page.go_to(f"sign-off/{month}", done="accepted")


def _shown(
    page: Page, cursor: Cursor, month: str, *, done: str = "", problem: str = "", note: str = ""
) -> HTMLResponse:
    period = parse_period(month)
    found = period_status(cursor, page.profile, period, now=page.now)
    before = period - datetime.timedelta(days=1)
    following = last_day(period) + datetime.timedelta(days=1)
    dates = [each for each in found.dates if each.scope == "date"]
    unsettled = {each.date for each in found.unmet if each.date and not _is_of_full(each)}
    return page.render(
        "sign_off.html",
        status_code=status.HTTP_409_CONFLICT if problem else status.HTTP_200_OK,
        month=month,
        period=period,
        found=found,
        dates=dates,
        full=[each for each in found.dates if each.scope == "full"],
        # Days to come are no omission: that the month is not over says enough of them.
        never_run=[each.date for each in found.unmet if _is_omitted(each, page.today)],
        conditions=[each for each in found.unmet if each.what != "not_reconciled"],
        settled=sum(each.business_date not in unsettled for each in dates),
        before=f"{before:%Y-%m}",
        following=f"{following:%Y-%m}",
        way_to=lambda unmet: _way_to(page, unmet),
        may_countersign=_may_countersign(page, found.sign_off),
        done=done,
        problem=problem,
        note=note,
    )


def _is_omitted(unmet: Unmet, today: datetime.date) -> bool:
    return unmet.what == "not_reconciled" and unmet.date is not None and unmet.date < today


def _is_of_full(unmet: Unmet) -> bool:
    """Tell whether a condition is the full comparison's, whose business date may be one of the month's."""
    return unmet.what.startswith("full_")


def _may_countersign(page: Page, signed: Any) -> bool:
    return signed is not None and signed.countersigned_by is None and signed.signed_by != page.user.get_name()


def _way_to(page: Page, unmet: Unmet) -> tuple[str, str, bool]:
    """Return the words and the address of where a condition is met, and whether that is in Airflow's own UI."""
    if unmet.date is None:
        if unmet.what == "full_missing":
            return "Run it in Airflow", page.airflow_dag(FULL_DAG_ID), True
        return "The calendar", page.link(""), False
    is_full = _is_of_full(unmet)
    address = page.link(
        f"dates/{unmet.date}",
        reconciliation=unmet.reconciliation_id if is_full else None,
        state=_STATE_OF.get(unmet.what),
    )
    return "The full comparison" if is_full else f"{unmet.date}", address, False
