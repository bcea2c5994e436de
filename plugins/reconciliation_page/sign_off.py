"""The sign-off of a month: how it stands, each condition that does not hold with the way to it, and both signatures."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Query, status
from fastapi.responses import HTMLResponse, Response
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from include.config.profiles import Scope
from include.page_data.break_export import export_rested_on
from include.page_data.rested_on import read_rested_on, read_signed
from include.page_data.shown_by import count_open_of
from include.page_data.signed_months import read_months
from include.reconciliation.break_states import work_in
from include.reconciliation.sign_off_conditions import FULL_DAG_ID, last_day, parse_period
from include.reconciliation.signing import (
    SignOffError,
    accept_incompleteness,
    countersign,
    earlier_sign_offs,
    is_same_person,
    period_status,
    read_sign_off,
    sign,
)
from reconciliation_page.access import FOR_EDITORS
from reconciliation_page.downloads import DIALECTS, download
from reconciliation_page.page import Page, PageOf
from reconciliation_page.parameters import (
    DateInPath,
    DecimalInQuery,
    IdInQuery,
    MonthInForm,
    MonthInPath,
    MonthInQuery,
    Note,
    is_shown_month,
    note_problem,
)
from reconciliation_page.stores import Reading, StoreBusyError, changing

if TYPE_CHECKING:
    from include.page_data.signed_months import Month
    from include.reconciliation.sign_off_conditions import Condition, Standing, Unmet
    from include.reconciliation.signing import PeriodStatus

router = APIRouter()

Done = Literal["signed", "countersigned", "accepted", ""]

# So many are listed, the newest first, until all are asked for or an older one is shown.
MONTHS = 24
_STATE_OF = {"pending": "pending", "full_pending": "pending", "open_breaks": "break", "full_open_breaks": "break"}


@dataclass(frozen=True)
class Refused:
    """A form that was not taken.

    :param problem: why, as a sentence.
    :param note: what was written in it.
    :param date: and ``what``: the condition (:class:`Unmet`) whose form it is; None where it is the signature's.
    """

    problem: str
    note: str
    date: datetime.date | None = None
    what: Condition | None = None

    def is_of(self, unmet: Unmet) -> bool:
        """Tell whether it is the form of a condition."""
        return (self.date, self.what) == (unmet.date, unmet.what)

    def has_form(self, unmet: list[Unmet], due: str) -> bool:
        """Tell whether the page still has the form, to show what was written where it was written."""
        return any(self.is_of(each) for each in unmet) if self.date else bool(due)


@router.get("/sign-off")
def choose_month(page: PageOf, month: MonthInQuery = None) -> Response:
    """Go to a month: the one that was chosen, else the last that is over."""
    last_of_previous = page.today.replace(day=1) - datetime.timedelta(days=1)
    return page.go_to(f"sign-off/{month or f'{last_of_previous:%Y-%m}'}")


@router.get("/sign-off/{month}")
def show_month(
    page: PageOf,
    cursor: Reading,
    month: MonthInPath,
    done: Annotated[Done, Query()] = "",
    reconciliation: IdInQuery = None,
    months: Annotated[Literal["", "all"], Query()] = "",
) -> HTMLResponse:
    """Show how a month stands.

    :param done: what was just done; ``reconciliation``: which one was accepted as incomplete.
    :param months: ``all``: each month is listed; by default the newest :data:`MONTHS`.
    """
    return _shown(page, cursor, month, done=done, accepted=reconciliation, is_each_listed=bool(months))


@router.get("/sign-off/{month}/sign")
@router.get("/sign-off/{month}/countersign")
def leave_signature(page: PageOf, month: MonthInPath) -> Response:
    """Go to the month: after a form that was refused the browser has its address, and may open it again."""
    return page.go_to(f"sign-off/{month}")


@router.get("/sign-off/{month}/accepted.csv")
def accepted_csv(
    page: PageOf,
    cursor: Reading,
    month: MonthInPath,
    signature: IdInQuery = None,
    decimal: DecimalInQuery = "point",
) -> Response:
    """Return as CSV all accepted differences that the month rests on now, or that one of its signatures rests on."""
    period = parse_period(month)
    sign_off = read_sign_off(cursor, page.profile, period, signature) if signature else None
    if signature and sign_off is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no signature {signature} of {month}.")

    def export(connection: Connection) -> Iterator[str]:
        return export_rested_on(connection, page.profile, period, sign_off=sign_off, dialect=DIALECTS[decimal])

    what = f"signed-{signature}" if signature else "accepted"
    return download(export, f"{what}-{page.profile.name}-{month}", decimal)


@router.post("/sign-off/{month}/{signature}", dependencies=FOR_EDITORS)
def sign_month(
    page: PageOf,
    cursor: Reading,
    month: MonthInPath,
    signature: Literal["sign", "countersign"],
    shown: Annotated[str, Form(max_length=64)],
    note: Note = "",
) -> Response:
    """Sign or countersign a month, with the figures that were shown."""
    if problem := note_problem(note, may_be_empty=True):
        return _shown(page, cursor, month, refused=Refused(problem, note))
    put = sign if signature == "sign" else countersign
    try:
        with changing() as session:
            # In a commit of its own: what a process that died has left is shown then, and can be signed the next time.
            with session.transaction() as writing:
                work_in(writing, page.profile)
            with session.transaction() as writing:
                put(writing, page.profile, parse_period(month), by=page.user.get_name(), note=note, shown=shown)
    except (SignOffError, StoreBusyError) as error:
        return _shown(page, cursor, month, refused=Refused(f"{error}.", note))
    return page.go_to(f"sign-off/{month}", done="signed" if signature == "sign" else "countersigned")


@router.get("/dates/{date}/incomplete")
def leave_incomplete(page: PageOf, date: DateInPath) -> Response:
    """Go to the month of the date, as :func:`leave_signature` does."""
    return page.go_to(f"sign-off/{date:%Y-%m}")


@router.post("/dates/{date}/incomplete", dependencies=FOR_EDITORS)
def accept_incomplete(
    page: PageOf,
    cursor: Reading,
    date: DateInPath,
    scope: Annotated[Scope, Form()],
    month: MonthInForm,
    reconciliation: Annotated[int, Form(ge=1)],
    note: Note = "",
) -> Response:
    """Accept that a date, or a full comparison, stays incomplete: for the reasons that were shown."""
    what: Condition = "full_incomplete" if scope == "full" else "incomplete"
    if problem := note_problem(note):
        return _shown(page, cursor, month, refused=Refused(problem, note, date, what))
    try:
        with changing() as session, session.transaction() as writing:
            accept_incompleteness(
                writing, page.profile, date, by=page.user.get_name(), note=note, scope=scope, shown=reconciliation
            )
    except (SignOffError, StoreBusyError) as error:
        return _shown(page, cursor, month, refused=Refused(f"{error}.", note, date, what))
    return page.go_to(f"sign-off/{month}", done="accepted", reconciliation=reconciliation)


def _shown(
    page: Page,
    cursor: Cursor,
    month: str,
    *,
    done: str = "",
    accepted: int | None = None,
    refused: Refused | None = None,
    is_each_listed: bool = False,
) -> HTMLResponse:
    period = parse_period(month)
    found = period_status(cursor, page.profile, period, now=page.now)
    before, following = period - datetime.timedelta(days=1), last_day(period) + datetime.timedelta(days=1)
    dates = [each for each in found.dates if each.scope == "date"]
    full = [each for each in found.dates if each.scope == "full"]
    unsettled = {each.date for each in found.unmet if each.date and not _is_of_full(each)}
    due = _signature_due(page, found)
    rested_now = read_rested_on(cursor, page.profile, found.acceptances)
    rested_then = read_signed(cursor, page.profile, found.sign_off) if found.sign_off else None
    months = read_months(cursor, page.profile, page.now)
    listed = months if is_each_listed or _is_beyond(months[MONTHS:], period) else months[:MONTHS]
    return page.render(
        "sign_off.html",
        status_code=status.HTTP_409_CONFLICT if refused else status.HTTP_200_OK,
        month=month,
        period=period,
        found=found,
        dates=dates,
        full=full,
        # Days to come are no omission: that the month is not over says enough of them.
        never_run=[each.date for each in found.unmet if _is_omitted(each, page.today)],
        conditions=[each for each in found.unmet if each.what != "not_reconciled"],
        settled=sum(each.business_date not in unsettled for each in dates),
        before=f"{before:%Y-%m}" if is_shown_month(before) else None,
        following=f"{following:%Y-%m}" if is_shown_month(following) else None,
        months=listed,
        older=len(months) - len(listed),
        way_to=lambda unmet: _way_to(page, cursor, unmet, found),
        due=due,
        rested_now=rested_now,
        rested_then=rested_then,
        earlier=earlier_sign_offs(cursor, found.sign_off) if found.sign_off else [],
        # Shown once where nothing is accepted otherwise than it was when it was signed.
        is_other=rested_then is None or rested_then.acceptances != rested_now.acceptances,
        incomplete_dates=sum(each.acceptance_id is not None for each in dates),
        is_full_incomplete=any(each.acceptance_id is not None for each in full),
        told=_done(found, done, accepted),
        refused=refused,
        is_note_homeless=refused is not None and not refused.has_form(found.unmet, due),
    )


def _is_beyond(older: list[Month], period: datetime.date) -> bool:
    """Tell whether the month that is shown is one of those that would not be listed."""
    return any(each.period == period for each in older)


def _done(found: PeriodStatus, done: str, accepted: int | None) -> str:
    """Return what was just done, if the store says so too: an address may claim anything."""
    if done == "accepted":
        taken = [each for each in found.dates if each.acceptance_id and each.reconciliation_id == accepted]
        of = {"date": "", "full": "The full comparison of "}
        return "".join(f"{of[each.scope]}{each.business_date} is accepted as incomplete." for each in taken)
    signed = found.sign_off
    if signed is None or found.flags or found.unmet:
        return ""
    if done == "signed" and signed.countersigned_by is None:
        return f"Signed by {signed.signed_by}. Another person countersigns it."
    if done == "countersigned" and signed.countersigned_by is not None:
        return f"Countersigned by {signed.countersigned_by}. What changes from now on is flagged here."
    return ""


def _signature_due(page: Page, found: PeriodStatus) -> Literal["sign", "countersign", ""]:
    """Return what this user may put their name to, once every condition holds."""
    signed = found.sign_off
    if not page.may_change:
        return ""
    if signed is None or found.flags:
        return "sign"
    if signed.countersigned_by is None and not is_same_person(page.user.get_name(), signed.signed_by):
        return "countersign"
    return ""


def _is_omitted(unmet: Unmet, today: datetime.date) -> bool:
    return unmet.what == "not_reconciled" and unmet.date is not None and unmet.date < today


def _is_of_full(unmet: Unmet) -> bool:
    """Tell whether a condition is the full comparison's, whose business date may be one of the month's."""
    return unmet.scope == "full"


def _way_to(page: Page, cursor: Cursor, unmet: Unmet, found: PeriodStatus) -> tuple[str, str, bool]:
    """Return the words and the address of where a condition is met, and whether that is in Airflow's own UI."""
    if unmet.date is None:
        if unmet.what == "full_missing":
            return "Run it in Airflow", page.airflow_dag(FULL_DAG_ID), True
        return "The calendar", page.link(""), False
    is_full = _is_of_full(unmet)
    state = _STATE_OF.get(unmet.what)
    if state == "break":
        recorded = [each for each in found.dates if each.reconciliation_id == unmet.reconciliation_id]
        # What it shows as pending may be a break by now, be it of another date.
        if any(_has_pending_and_open(page, cursor, each) for each in recorded):
            called = "the full comparison" if is_full else f"{unmet.date}"
            return f"Breaks of {called}", page.link("breaks", shown_by=unmet.reconciliation_id), False
        # It breaks since the date though the date's own reconciliation does not show it.
        if not is_full and not any(each.breaks or each.accepted for each in recorded):
            return f"Breaks since {unmet.date}", page.link("breaks", first_from=unmet.date, first_to=unmet.date), False
        # What was accepted when it was recorded may be open again: it stands among all that differ.
        if any(each.accepted for each in recorded):
            state = None
    address = page.link(f"dates/{unmet.date}", reconciliation=unmet.reconciliation_id if is_full else None, state=state)
    return "The full comparison" if is_full else f"{unmet.date}", address, False


def _has_pending_and_open(page: Page, cursor: Cursor, recorded: Standing) -> bool:
    """Tell whether a reconciliation has recorded pending invoices, and one that differs in it has an open break now."""
    if recorded.reconciliation_id is None or not recorded.pending:
        return False
    differing = recorded.pending + (recorded.breaks or 0) + (recorded.accepted or 0)
    return count_open_of(cursor, page.profile, recorded.reconciliation_id, differing=differing) != 0
