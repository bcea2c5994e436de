"""The app that Airflow mounts at ``/reconciliation``."""

from __future__ import annotations

import mimetypes
from functools import cache

from fastapi import FastAPI, HTTPException, Request, Response

from reconciliation_page import breaks, dates, invoice, overview, polls, profiles, sign_off
from reconciliation_page.access import FOR_READERS
from reconciliation_page.errors import handle_errors
from reconciliation_page.headers import Guard
from reconciliation_page.notes import KEEPING_NOTES
from reconciliation_page.rendering import STATIC

# Each file of the package that has pages has a router.
ROUTERS = (
    overview.router,
    dates.router,
    breaks.router,
    sign_off.router,
    invoice.router,
    polls.router,
    profiles.router,
)


@cache
def page_app() -> FastAPI:
    """Return the app; there is one in a process."""
    return create_app()


def create_app() -> FastAPI:
    """Make the app: no page without a user who may see the DAG, no description of it for others."""
    app = FastAPI(
        title="Reconciliation", docs_url=None, redoc_url=None, openapi_url=None,
        dependencies=(*KEEPING_NOTES, *FOR_READERS), redirect_slashes=False,
    )  # fmt: skip
    app.add_middleware(Guard)
    handle_errors(app)
    for router in ROUTERS:
        app.include_router(router)
    # Outside FastAPI's routes: whom an error page asks to sign in first gets its style, too.
    app.add_route("/static/{name}", static_file)
    return app


def static_file(request: Request) -> Response:
    """Return a style, script or picture of this package, to anybody."""
    name = request.path_params["name"]
    files = {file.name: file for file in STATIC.iterdir()}
    if name not in files:
        raise HTTPException(404)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # Its address changes with its content.
    return Response(
        files[name].read_bytes(), media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"}
    )
