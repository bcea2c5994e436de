"""The polls: how they ended, what those in doubt may have lost, how it was recovered, and rows that were not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Depends, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from psycopg2.extensions import cursor as Cursor

from include.page_data.polls import (
    KINDS,
    OUTCOMES,
    ROWS_SHOWN,
    is_settled,
    read_days,
    read_doubts,
    read_polls,
    read_quarantine,
)
from include.page_data.waiting import read_waiting
from include.status_store.attention import NothingToSettleError, accept_doubt, dismiss_row
from include.status_store.journal import LEFT_OPEN_AFTER, Kind, Outcome
from include.status_store.replay import replay
from reconciliation_page.access import FOR_EDITORS
from reconciliation_page.page import Page, PageOf
from reconciliation_page.parameters import IdInPath, IdInQuery, Note, NumberInQuery, note_problem
from reconciliation_page.poll_chart import draw
from reconciliation_page.stores import Reading, StoreBusyError, changing
from reconciliation_page.words import OUTCOME_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.page_data.waiting import Waiting

router = APIRouter()

# A request that takes longer is given up by proxies, and nobody knows what came of it.
REPLAY_SECONDS = 20.0


@dataclass(frozen=True)
class View:
    """What of the journal is shown, and what was just done here, as they stand in the address.

    :param below: only polls with smaller ids.
    :param done: what was just done; ``settled``: the doubt or the row.
    :param untried: what a replay had no time for, behind ``after_page`` and ``after_row``.
    """

    kind: Annotated[Literal["", Kind], Query()] = ""
    outcome: Annotated[Literal["", Outcome], Query()] = ""
    below: IdInQuery = None
    done: Annotated[Literal["", "accepted", "dismissed", "replayed"], Query()] = ""
    settled: NumberInQuery = 0
    untried: NumberInQuery = 0
    after_page: NumberInQuery = 0
    after_row: NumberInQuery = 0


@dataclass(frozen=True)
class Refused:
    """A note that was not taken.

    :param about: the id of a ``doubt`` or of a ``row``.
    """

    problem: str
    what: Literal["doubt", "row"]
    about: int
    note: str


@router.get("/polls")
def polls(page: PageOf, cursor: Reading, view: Annotated[View, Depends()]) -> HTMLResponse:
    """Show the journal, and what waits."""
    return _shown(page, cursor, view)


@router.get("/polls/doubts/{poll_id}")
@router.get("/polls/rows/{quarantine_id}")
@router.get("/polls/replay")
def leave_form(page: PageOf) -> RedirectResponse:
    """Go to the journal: after a note that was refused the browser has this address, and may open it again."""
    return page.go_to("polls")


@router.post("/polls/doubts/{poll_id}", dependencies=FOR_EDITORS)
def accept(page: PageOf, cursor: Reading, poll_id: IdInPath, note: Note = "") -> Response:
    """Accept that a doubt stays unproven."""

    def change(writing: Cursor, note: str) -> None:
        accept_doubt(writing, poll_id, by=page.user.get_name(), note=note, profile=page.profile.name)

    if problem := _settle(change, note):
        return _shown(page, cursor, View(), Refused(problem, "doubt", poll_id, note))
    return page.go_to("polls", done="accepted", settled=poll_id)


@router.post("/polls/rows/{quarantine_id}", dependencies=FOR_EDITORS)
def dismiss(page: PageOf, cursor: Reading, quarantine_id: IdInPath, note: Note = "") -> Response:
    """Dismiss a row in quarantine."""

    def change(writing: Cursor, note: str) -> None:
        dismiss_row(writing, quarantine_id, by=page.user.get_name(), note=note, profile=page.profile.name)

    if problem := _settle(change, note):
        return _shown(page, cursor, View(), Refused(problem, "row", quarantine_id, note))
    return page.go_to("polls", done="dismissed", settled=quarantine_id)


@router.post("/polls/replay", dependencies=FOR_EDITORS)
def parse_again(page: PageOf, after_page: NumberInQuery = 0, after_row: NumberInQuery = 0) -> RedirectResponse:
    """Parse again what waits: rows in quarantine and pages that could not be parsed, for :data:`REPLAY_SECONDS`.

    :param after_page: and ``after_row``: where the last one stopped.
    """
    with changing() as session:
        summary = replay(session, page.profile, max_seconds=REPLAY_SECONDS, after_page=after_page, after_row=after_row)
    more = {"after_page": summary.after_page, "after_row": summary.after_row} if summary.untried else {}
    return page.go_to("polls", done="replayed", untried=summary.untried, **more)


def _shown(page: Page, cursor: Cursor, view: View, refused: Refused | None = None) -> HTMLResponse:
    profile = page.profile
    shown, following = read_polls(
        cursor, profile.name, kind=view.kind or None, outcome=view.outcome or None, below=view.below
    )
    waiting = read_waiting(cursor, [profile.name], page.now)[profile.name]
    doubts = read_doubts(cursor, profile.name)
    quarantine = read_quarantine(cursor, profile.name)
    forms = {("doubt", each.poll_id) for each in doubts if each.recovery == "unproven"}
    forms |= {("row", each.quarantine_id) for each in quarantine}
    return page.render(
        "polls.html",
        status_code=status.HTTP_409_CONFLICT if refused else status.HTTP_200_OK,
        waiting=waiting,
        left_open_before=page.now - LEFT_OPEN_AFTER,
        is_late=waiting.is_late(page.now),
        chart=draw(read_days(cursor, profile, page.today)),
        doubts=doubts,
        quarantine=quarantine,
        rows_shown=ROWS_SHOWN,
        polls=shown,
        following=following,
        view=view,
        done=_done(page, cursor, view, waiting),
        kinds=KINDS,
        outcomes=OUTCOMES,
        outcome_words=OUTCOME_WORDS,
        refused=refused,
        has_form=refused is not None and (refused.what, refused.about) in forms,
    )


def _done(page: Page, cursor: Cursor, view: View, waiting: Waiting) -> str:
    """Return what was just done, where the store shows it: an address alone proves nothing."""
    if view.done in ("accepted", "dismissed"):
        by = page.user.get_name().strip()
        return view.done if is_settled(cursor, page.profile.name, view.done, view.settled, by=by) else ""
    if view.done == "replayed" and view.untried > waiting.quarantined + waiting.unparsed:
        return ""
    return view.done


def _settle(change: Callable[[Cursor, str], None], note: str) -> str:
    """Settle something with a note; return why that was not done, empty where it was."""
    if problem := note_problem(note):
        return problem
    try:
        with changing() as session, session.transaction() as cursor:
            change(cursor, note)
    except NothingToSettleError as error:
        return f"{error}. Somebody may have settled it meanwhile."
    except StoreBusyError as error:
        return f"{error}."
    return ""
