"""The polls: how they ended, what those in doubt may have lost, how it was recovered, and rows that were not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Form, HTTPException, Path, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse

from include.page_data.polls import (
    KINDS,
    OUTCOMES,
    ROWS_SHOWN,
    read_days,
    read_doubts,
    read_polls,
    read_quarantine,
    read_waiting,
)
from include.status_store.attention import NothingToSettleError, accept_doubt, dismiss_row
from include.status_store.replay import replay
from reconciliation_page.access import FOR_EDITORS
from reconciliation_page.page import PageOf
from reconciliation_page.poll_chart import draw
from reconciliation_page.stores import Reading, changing

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import cursor as Cursor

router = APIRouter()

OUTCOME_WORDS = {
    "landed": "landed",
    "empty": "queue empty (204)",
    "open": "under way",
    "unsent": "not sent",
    "refused": "refused",
    "in_doubt": "in doubt",
}
# A request that takes longer is given up by proxies, and nobody knows what came of it.
REPLAY_SECONDS = 20.0
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Note = Annotated[str, Form(min_length=1, max_length=2000)]


@router.get("/polls")
def polls(
    page: PageOf,
    cursor: Reading,
    kind: Annotated[Literal["", "drain", "date", "billnum"], Query()] = "",
    outcome: Annotated[Literal["", "landed", "empty", "open", "unsent", "refused", "in_doubt"], Query()] = "",
    below: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    done: Annotated[Literal["", "accepted", "dismissed", "replayed"], Query()] = "",
    taken: Annotated[int, Query(ge=0)] = 0,
    left: Annotated[int, Query(ge=0)] = 0,
    untried: Annotated[int, Query(ge=0)] = 0,
    after_page: After = 0,
    after_row: After = 0,
) -> HTMLResponse:
    """Show the journal.

    :param below: only polls with smaller ids.
    :param done: what was just done here; ``taken`` and ``left``: what a replay made of what waited; ``untried``: what
        it had no time for, behind ``after_page`` and ``after_row``.
    """
    profile = page.profile
    shown, following = read_polls(cursor, profile.name, kind=kind or None, outcome=outcome or None, below=below)
    return page.render(
        "polls.html",
        waiting=read_waiting(cursor, profile.name),
        chart=draw(read_days(cursor, profile, page.today)),
        doubts=read_doubts(cursor, profile.name),
        quarantine=read_quarantine(cursor, profile.name),
        rows_shown=ROWS_SHOWN,
        polls=shown,
        following=following,
        kind=kind,
        outcome=outcome,
        is_first=below is None,
        kinds=KINDS,
        outcomes=OUTCOMES,
        outcome_words=OUTCOME_WORDS,
        done=done,
        taken=taken,
        left=left,
        untried=untried,
        after_page=after_page,
        after_row=after_row,
    )


@router.post("/polls/doubts/{poll_id}", dependencies=FOR_EDITORS)
def accept(page: PageOf, poll_id: Id, note: Note) -> RedirectResponse:
    """Accept that a doubt stays unproven."""
    by, profile = page.user.get_name(), page.profile.name
    _settle(lambda cursor: accept_doubt(cursor, poll_id, by=by, note=note, profile=profile))
    return page.go_to("polls", done="accepted")


@router.post("/polls/rows/{quarantine_id}", dependencies=FOR_EDITORS)
def dismiss(page: PageOf, quarantine_id: Id, note: Note) -> RedirectResponse:
    """Dismiss a row in quarantine."""
    by, profile = page.user.get_name(), page.profile.name
    _settle(lambda cursor: dismiss_row(cursor, quarantine_id, by=by, note=note, profile=profile))
    return page.go_to("polls", done="dismissed")


@router.post("/polls/replay", dependencies=FOR_EDITORS)
def parse_again(page: PageOf, after_page: After = 0, after_row: After = 0) -> RedirectResponse:
    """Parse again what waits: rows in quarantine and pages that could not be parsed, for :data:`REPLAY_SECONDS`.

    :param after_page: and ``after_row``: where the last one stopped.
    """
    with changing() as session:
        summary = replay(session, page.profile, max_seconds=REPLAY_SECONDS, after_page=after_page, after_row=after_row)
    taken, left = summary.pages + summary.rows, summary.pages_left + summary.rows_left
    more = {"after_page": summary.after_page, "after_row": summary.after_row} if summary.untried else {}
    return page.go_to("polls", done="replayed", taken=taken, left=left, untried=summary.untried, **more)


def _settle(change: Callable[[Cursor], None]) -> None:
    try:
        with changing() as session, session.transaction() as cursor:
            change(cursor)
    except NothingToSettleError as error:
        raise HTTPException(
            status.HTTP_409_CONFLICT, f"{error}. Somebody may have settled it meanwhile: look at the polls again."
        ) from None
    except ValueError:
        raise HTTPException(
            status.HTTP_400_BAD_REQUEST, "The note is empty. Say why, so that it can be read later."
        ) from None
