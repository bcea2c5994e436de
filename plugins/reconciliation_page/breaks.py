"""Breaks across days: their list, one with its history, and what people decide about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Query, status
from fastapi.responses import HTMLResponse, Response
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from include.page_data.break_export import export_breaks
from include.page_data.break_knowledge import read_knowledge
from include.page_data.breaks import (
    Decided,
    count_breaks,
    count_decided,
    read_break,
    read_break_sums,
    read_breaks,
)
from include.page_data.listing import page_or_first
from include.page_data.shown_by import read_compared
from include.page_data.signed_months import read_months_flagged
from include.reconciliation.break_listing import history_of
from include.reconciliation.categories import CATEGORIES, MATCHED, reason_in_words
from include.reconciliation.decisions import (
    NAMED_REFUSALS,
    BreakDecisionError,
    accept_breaks,
    comment_breaks,
    reopen_breaks,
)
from include.reconciliation.months_touched import months_touched
from reconciliation_page.access import FOR_EDITORS
from reconciliation_page.break_choice import BreakChoice, ChoiceOf
from reconciliation_page.downloads import DIALECTS, download
from reconciliation_page.page import Page, PageOf
from reconciliation_page.parameters import DecimalInQuery, IdInPath, Note, NumberInQuery, Place, note_problem
from reconciliation_page.stores import Reading, StoreBusyError, changing
from reconciliation_page.words import BREAK_EVENTS, BREAK_STATES

if TYPE_CHECKING:
    from include.page_data.shown_by import Compared
    from include.page_data.signed_months import Month
    from include.reconciliation.months_touched import TouchedMonth

router = APIRouter()

Done = Annotated[Literal["accept", "reopen", "comment", ""], Query()]

_KINDS: dict[str, Decided] = {"accept": "accepted", "reopen": "reopened", "comment": "commented"}


@dataclass(frozen=True)
class Decision:
    """What a person decides about some breaks.

    :param seen: the newest event of any break when the page was shown: one that changed since is not accepted, or
        opened again, unseen.
    """

    what: Annotated[Literal["accept", "reopen", "comment"], Form()]
    seen: Annotated[int, Form(ge=0)]
    note: Note = ""

    def carry_out(self, page: Page, break_ids: list[int]) -> None:
        """Accept, open again or comment all of the breaks, or none, in the name of the page's user.

        :raises BreakDecisionError: naming those of which it cannot be decided.
        :raises ValueError: if the note is empty or no break is named.
        """
        by, profile = page.user.get_name(), page.profile.name
        with changing() as session, session.transaction() as cursor:
            if self.what == "comment":
                comment_breaks(cursor, break_ids, by=by, note=self.note, profile=profile)
            else:
                decide_of = accept_breaks if self.what == "accept" else reopen_breaks
                decide_of(cursor, break_ids, by=by, note=self.note, shown_up_to=self.seen, profile=profile)


@router.get("/breaks")
def list_breaks(
    page: PageOf,
    cursor: Reading,
    choice: ChoiceOf,
    after: Place = "",
    done: Done = "",
    since: NumberInQuery = 0,
) -> HTMLResponse:
    """List breaks.

    :param after: where the page begins.
    :param done: what was just decided, after the event ``since``.
    """
    return _listed(page, cursor, choice, after=after, done=done, since=since)


@router.post("/breaks", dependencies=FOR_EDITORS)
def decide(
    page: PageOf,
    cursor: Reading,
    choice: ChoiceOf,
    decision: Annotated[Decision, Depends()],
    break_id: Annotated[list[int] | None, Form()] = None,
    after: Place = "",
) -> Response:
    """Accept, open again or comment the chosen breaks."""
    chosen = break_id or []
    problem = note_problem(decision.note) if chosen else "Choose at least one break."
    if problem:
        return _listed(page, cursor, choice, after=after, problem=problem, note=decision.note, chosen=chosen)
    since = count_breaks(cursor, page.profile.name).newest_event
    # The pages after the decision show the store as it stands then.
    cursor.connection.rollback()
    try:
        decision.carry_out(page, chosen)
    except (BreakDecisionError, StoreBusyError) as error:
        return _listed(page, cursor, choice, after=after, problem=error, note=decision.note, chosen=chosen)
    return page.go_to("breaks", done=decision.what, since=since, after=after, **choice.parameters())


def _listed(
    page: Page,
    cursor: Cursor,
    choice: BreakChoice,
    *,
    after: str,
    done: Done = "",
    since: int = 0,
    problem: str | BreakDecisionError | StoreBusyError = "",
    note: str = "",
    chosen: list[int] | None = None,
) -> HTMLResponse:
    selection = choice.selection()
    shown_by = _shown_by(page, cursor, choice)
    # What stands after a place may have been decided meanwhile.
    listed, is_gone = page_or_first(lambda place: read_breaks(cursor, page.profile.name, selection, after=place), after)
    counts = count_breaks(cursor, page.profile.name)
    touched = _touched(page, cursor, [each.break_id for each in listed.rows if each.state == "accepted"])
    return page.render(
        "breaks.html",
        status_code=status.HTTP_409_CONFLICT if problem else status.HTTP_200_OK,
        choice=choice,
        selection=selection,
        shown_by=shown_by,
        listed=listed,
        counts=counts,
        # Nothing is at stake in those that are resolved, and there are ever more of them.
        sums=[]
        if choice.state == "resolved"
        else read_break_sums(cursor, [page.profile], selection)[page.profile.name],
        after="" if is_gone else after,
        is_gone=is_gone,
        done=done,
        number=_done(page, cursor, done, since),
        flagged=_flagged(page, cursor, done, since),
        touched=touched,
        touched_by=Counter(month.period for months in touched.values() for month in months),
        knowledge=read_knowledge(cursor, [page.profile], page.now)[page.profile.name],
        **_problem(problem),
        note=note,
        chosen=chosen or [],
        categories=[name for name in CATEGORIES if name != MATCHED],
        states=BREAK_STATES,
        reason_in_words=reason_in_words,
        here="breaks",
        anchor="",
        named=None,
    )


@router.get("/breaks.csv")
def breaks_csv(page: PageOf, cursor: Reading, choice: ChoiceOf, decimal: DecimalInQuery = "point") -> Response:
    """Return the same breaks as CSV, all pages of them."""
    _shown_by(page, cursor, choice)

    def export(connection: Connection) -> Iterator[str]:
        return export_breaks(connection, page.profile, choice.selection(), DIALECTS[decimal])

    return download(export, f"{choice.state}-breaks-{page.profile.name}-{page.today}", decimal)


@router.get("/breaks/{break_id}")
def show_break(
    page: PageOf,
    cursor: Reading,
    break_id: IdInPath,
    done: Done = "",
    since: NumberInQuery = 0,
) -> HTMLResponse:
    """Show a break with its evidence and history.

    :param done: what was just decided of it, after the event ``since``.
    """
    return _shown(page, cursor, break_id, done=done, since=since)


@router.post("/breaks/{break_id}", dependencies=FOR_EDITORS)
def decide_one(page: PageOf, cursor: Reading, break_id: IdInPath, decision: Annotated[Decision, Depends()]) -> Response:
    """Accept, open again or comment one break."""
    if problem := note_problem(decision.note):
        return _shown(page, cursor, break_id, problem=problem, note=decision.note)
    since = count_breaks(cursor, page.profile.name).newest_event
    cursor.connection.rollback()
    try:
        decision.carry_out(page, [break_id])
    except (BreakDecisionError, StoreBusyError) as error:
        return _shown(page, cursor, break_id, problem=error, note=decision.note)
    return page.go_to(f"breaks/{break_id}", done=decision.what, since=since)


def _shown(
    page: Page,
    cursor: Cursor,
    break_id: int,
    *,
    done: Done = "",
    since: int = 0,
    problem: str | BreakDecisionError | StoreBusyError = "",
    note: str = "",
) -> HTMLResponse:
    found = read_break(cursor, page.profile.name, break_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no break {break_id} of this profile.")
    return page.render(
        "break.html",
        status_code=status.HTTP_409_CONFLICT if problem else status.HTTP_200_OK,
        found=found,
        history=history_of(cursor, break_id),
        touched=_touched(page, cursor, [break_id] if found.state == "accepted" else []).get(break_id, []),
        seen=count_breaks(cursor, page.profile.name).newest_event,
        done=done,
        number=_done(page, cursor, done, since, break_id),
        flagged=_flagged(page, cursor, done, since, break_id),
        **_problem(problem),
        note=note,
        events=BREAK_EVENTS,
        reason_in_words=reason_in_words,
    )


def _shown_by(page: Page, cursor: Cursor, choice: BreakChoice) -> Compared | None:
    """Return the reconciliation whose invoices are meant; one of another profile would leave out what is open."""
    if not choice.shown_by:
        return None
    found = read_compared(cursor, page.profile.name, choice.shown_by)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no reconciliation {choice.shown_by} of this profile.")
    return found


def _done(page: Page, cursor: Cursor, done: str, since: int, break_id: int | None = None) -> int:
    """Return how many breaks the user decided this way since the event ``since``, by the store.

    The address may claim anything.
    """
    if not done:
        return 0
    by = page.user.get_name().strip()
    return count_decided(cursor, page.profile.name, by=by, kind=_KINDS[done], since=since, break_id=break_id)


def _touched(page: Page, cursor: Cursor, accepted: list[int]) -> dict[int, list[TouchedMonth]]:
    """Return by accepted break the signed months that opening it again changes, to those who may do that."""
    return months_touched(cursor, page.profile.name, accepted) if accepted and page.may_change else {}


def _flagged(page: Page, cursor: Cursor, done: str, since: int, break_id: int | None = None) -> list[Month]:
    """Return the signed months that the user has changed by opening breaks again since the event ``since``."""
    if done != "reopen":
        return []
    by = page.user.get_name().strip()
    return read_months_flagged(cursor, page.profile, by=by, since=since, break_id=break_id)


def _problem(problem: str | BreakDecisionError | StoreBusyError) -> dict[str, Any]:
    """What a template says of a problem: in words, or break by break."""
    refused = problem.refused if isinstance(problem, BreakDecisionError) else ()
    return {
        "problem": "" if refused else problem if isinstance(problem, str) else f"{problem}.",
        "not_done": problem.what if isinstance(problem, BreakDecisionError) else "",
        "refused": refused[:NAMED_REFUSALS],
        "more_refused": max(0, len(refused) - NAMED_REFUSALS),
    }
