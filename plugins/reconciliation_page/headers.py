"""What every answer carries, errors too, and what becomes of an error that nothing else has caught."""

from __future__ import annotations

import logging
import secrets
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from reconciliation_page.rendering import error_page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

# Nothing of other hosts, nothing inline; framed by Airflow's UI alone.
CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "base-uri 'none'",
))  # fmt: skip
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    # Invoice numbers stand in addresses.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Sets the headers; makes an error page of what the app could not handle, and logs where it happened."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception as error:
            reference = secrets.token_hex(4)
            _log(reference, error)
            if started:
                raise
            page = error_page(
                Request(scope),
                500,
                "Something went wrong here",
                f"It has been logged as {reference} in the API server's log. Try again; if it stays so, give that "
                "number to the engineer who looks after this deployment.",
            )
            await page(scope, receive, send_guarded)


def _log(reference: str, error: BaseException) -> None:
    # Without the message: PostgreSQL's may quote a row.
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    code = getattr(error, "pgcode", None)
    logger.error("The reconciliation page failed (%s): %s %s at %s", reference, type(error).__name__, code or "", where)
