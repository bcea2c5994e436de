"""All profiles: the state of each one's books, those that need somebody first."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from include.page_data.profile_states import read_states
from reconciliation_page.page import PageOf
from reconciliation_page.stores import Reading

router = APIRouter()


@router.get("/profiles")
def profiles(page: PageOf, cursor: Reading) -> HTMLResponse:
    """Show every profile's newest verdict, what needs somebody of its dates and months, its breaks, and its queue."""
    states = read_states(cursor, page.profiles, page.now)
    needing = [state for state in states if state.needs_somebody]
    return page.render("profiles.html", needing=needing, others=states[len(needing) :])
