"""Breaks across days: their list, one with its history, and what people decide about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Query, status
from fastapi.responses import HTMLResponse, Response
from psycopg2.extensions import cursor as Cursor

from include.page_data.breaks import BreakSelection, Order, State, count_breaks, read_break, read_breaks
from include.page_data.open_breaks import read_open_breaks
from include.reconciliation.break_listing import history_of
from include.reconciliation.categories import CATEGORIES, MATCHED, reason_in_words
from include.reconciliation.decisions import BreakDecisionError, accept_breaks, comment_breaks
from reconciliation_page.access import FOR_EDITORS
from reconciliation_page.page import Page, PageOf
from reconciliation_page.parameters import CategoryInQuery, Direction, IdInPath, Place, SeverityInQuery, Text
from reconciliation_page.stores import Reading, changing
from reconciliation_page.words import BREAK_EVENTS, BREAK_STATES

router = APIRouter()

_NATURAL = {"amount": "desc", "age": "asc", "category": "asc"}


@dataclass(frozen=True)
class Choice:
    """The filters of the breaks, as they stand in the address."""

    state: Annotated[State, Query()] = "open"
    category: CategoryInQuery = ""
    severity: SeverityInQuery = ""
    text: Text = ""
    order: Annotated[Order, Query()] = "amount"
    direction: Direction = ""

    def selection(self) -> BreakSelection:
        """Return the breaks that are meant."""
        return BreakSelection(
            state=self.state,
            category=self.category or None,
            severity=self.severity or None,
            text=self.text.strip() or None,
            order=self.order,
            is_descending=(self.direction or _NATURAL[self.order]) == "desc",
        )

    def parameters(self, **changed: Any) -> dict[str, Any]:
        """Return the filters for an address, with some changed; what is as by default is left out."""
        given = {name: getattr(self, name) for name in self.__dataclass_fields__} | changed
        return {name: value for name, value in given.items() if value != getattr(type(self), name)}


ChoiceOf = Annotated[Choice, Depends()]


@dataclass(frozen=True)
class Decision:
    """What a person decides about some breaks.

    :param seen: the newest event of any break when the page was shown: one that changed since is not accepted unseen.
    """

    what: Annotated[Literal["accept", "comment"], Form()]
    seen: Annotated[int, Form(ge=0)]
    note: Annotated[str, Form(max_length=2000, pattern=r"^[^\x00]*$")] = ""

    def carry_out(self, break_ids: list[int], by: str) -> int:
        """Accept or comment all of the breaks, or none.

        :return: how many.
        :raises BreakDecisionError: naming those of which it cannot be decided.
        :raises ValueError: where the note is empty or no break is named.
        """
        with changing() as session, session.transaction() as cursor:
            if self.what == "accept":
                return accept_breaks(cursor, break_ids, by=by, note=self.note, shown_up_to=self.seen)
            return comment_breaks(cursor, break_ids, by=by, note=self.note)


@router.get("/breaks")
def list_breaks(
    page: PageOf,
    cursor: Reading,
    choice: ChoiceOf,
    after: Place = "",
    done: Annotated[Literal["accept", "comment", ""], Query()] = "",
    number: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:
    """List breaks.

    :param after: where the page begins.
    :param done: what was just decided, of ``number`` breaks.
    """
    return _listed(page, cursor, choice, after=after, done=done, number=number)


@router.post("/breaks", dependencies=FOR_EDITORS)
def decide(
    page: PageOf,
    cursor: Reading,
    choice: ChoiceOf,
    decision: Annotated[Decision, Depends()],
    break_id: Annotated[list[int] | None, Form()] = None,
    after: Place = "",
) -> Response:
    """Accept or comment the chosen breaks."""
    chosen = break_id or []
    if not chosen or not decision.note.strip():
        problem = "Choose at least one break." if not chosen else "Write a note: it says later why this was decided."
        return _listed(page, cursor, choice, after=after, problem=problem, note=decision.note, chosen=chosen)
    try:
        number = decision.carry_out(chosen, page.user.get_name())
    except BreakDecisionError as error:
        return _listed(page, cursor, choice, after=after, problem=f"{error}.", note=decision.note, chosen=chosen)
    return page.go_to("breaks", done=decision.what, number=number, **choice.parameters())


def _listed(
    page: Page,
    cursor: Cursor,
    choice: Choice,
    *,
    after: str,
    done: str = "",
    number: int = 0,
    problem: str = "",
    note: str = "",
    chosen: list[int] | None = None,
) -> HTMLResponse:
    selection = choice.selection()
    listed = read_breaks(cursor, page.profile.name, selection, after=after or None)
    # What stood there was decided meanwhile: the first page is shown, since an empty one says nothing of the rest.
    is_gone = bool(after) and not listed.rows
    if is_gone:
        after, listed = "", read_breaks(cursor, page.profile.name, selection)
    counts = count_breaks(cursor, page.profile.name)
    return page.render(
        "breaks.html",
        status_code=status.HTTP_409_CONFLICT if problem else status.HTTP_200_OK,
        choice=choice,
        selection=selection,
        listed=listed,
        counts=counts,
        at_stake=read_open_breaks(cursor, page.profile, page.today).at_stake if choice.state == "open" else {},
        after=after,
        is_gone=is_gone,
        done=done,
        number=number,
        problem=problem,
        note=note,
        chosen=chosen or [],
        categories=[name for name in CATEGORIES if name != MATCHED],
        states=BREAK_STATES,
        reason_in_words=reason_in_words,
        here="breaks",
        anchor="",
        named=None,
    )


@router.get("/breaks/{break_id}")
def show_break(
    page: PageOf,
    cursor: Reading,
    break_id: IdInPath,
    done: Annotated[Literal["accept", "comment", ""], Query()] = "",
) -> HTMLResponse:
    """Show a break with its evidence and history."""
    return _shown(page, cursor, break_id, done=done)


@router.post("/breaks/{break_id}", dependencies=FOR_EDITORS)
def decide_one(page: PageOf, cursor: Reading, break_id: IdInPath, decision: Annotated[Decision, Depends()]) -> Response:
    """Accept or comment one break."""
    if not decision.note.strip():
        problem = "Write a note: it says later why this was decided."
        return _shown(page, cursor, break_id, problem=problem)
    try:
        decision.carry_out([break_id], page.user.get_name())
    except BreakDecisionError as error:
        return _shown(page, cursor, break_id, problem=f"{error}.", note=decision.note)
    return page.go_to(f"breaks/{break_id}", done=decision.what)


def _shown(
    page: Page, cursor: Cursor, break_id: int, *, done: str = "", problem: str = "", note: str = ""
) -> HTMLResponse:
    found = read_break(cursor, page.profile.name, break_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no break {break_id} of this profile.")
    return page.render(
        "break.html",
        status_code=status.HTTP_409_CONFLICT if problem else status.HTTP_200_OK,
        found=found,
        history=history_of(cursor, break_id),
        seen=count_breaks(cursor, page.profile.name).newest_event,
        done=done,
        problem=problem,
        note=note,
        events=BREAK_EVENTS,
        reason_in_words=reason_in_words,
    )
