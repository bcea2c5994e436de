"""What somebody wrote in a form, for the page that says that the form failed: nothing else has it."""

from __future__ import annotations

from fastapi import Depends, Request
from fastapi.routing import APIRoute

from reconciliation_page.access import is_same_origin
from reconciliation_page.parameters import NOTE_LENGTH, with_plain_line_ends


async def _remember(request: Request) -> None:
    """Set the note of a form that this site's own page sent aside, as long as a note may be."""
    route = request.scope.get("route")
    # FastAPI has read a form before it asks who sends it. What it has not read, nobody reads for a stranger.
    if is_same_origin(request) and isinstance(route, APIRoute) and route.body_field:
        note = (await request.form()).get("note")
        if isinstance(note, str) and note.strip():
            request.state.written_note = with_plain_line_ends(note)[:NOTE_LENGTH]


def written_note(request: Request) -> str:
    """Return the note that a request brought; empty where it brought none."""
    return getattr(request.state, "written_note", "")


# For the whole app, before all that may fail: not even the session need hold any more.
KEEPING_NOTES = (Depends(_remember),)
