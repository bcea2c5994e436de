"""Errors as pages: what happened and what to do, never a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2
from fastapi import status
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from include.config.errors import ConfigurationError
from include.page_data.listing import InvalidPlaceError
from include.status_store.database import StoreUnavailableError
from reconciliation_page.access import DAG_ID
from reconciliation_page.rendering import error_page
from reconciliation_page.stores import READER_CONNECTION, StoreBusyError
from ropo_one.store import STORE_CONNECTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse

_HTTP = {
    401: ("Sign in to Airflow first", "The page needs an Airflow session. Signing in leads back to it."),
    403: (
        "You may not see or do this",
        f"Seeing this page needs the right to see the DAG {DAG_ID}, changing something the right to edit it. Ask "
        "whoever manages Airflow's users.",
    ),
    404: ("There is no such page", "The address is wrong or what it names is gone. Start from the overview."),
    405: ("This cannot be done here", "Start from the overview."),
}
_OWN_WORDS = 404, 403, 400, 409
# By pydantic's name of a mistake, with its context. What was sent is not shown again.
_MISTAKES = {
    "missing": "it is missing",
    "literal_error": "expected {expected}",
    "string_too_long": "expected {max_length} characters at most",
    "too_long": "expected {max_length} characters at most",
    "string_pattern_mismatch": "not a value that this page creates",
    "int_parsing": "expected a whole number",
    "int_parsing_size": "expected a smaller number",
    "greater_than_equal": "expected {ge} at least",
    "less_than_equal": "expected {le} at most",
    "value_error": "{error}",
}


def handle_errors(app: FastAPI) -> None:
    """Give the app its error pages."""
    handlers: dict[Any, Callable[[Request, Any], Awaitable[HTMLResponse]]] = {
        HTTPException: _http,
        RequestValidationError: _parameters,
        InvalidPlaceError: _place,
        psycopg2.DataError: _place,
        StoreUnavailableError: _unavailable,
        StoreBusyError: _busy,
        ConfigurationError: _configuration,
        psycopg2.OperationalError: _database,
        psycopg2.InterfaceError: _database,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _http(request: Request, error: HTTPException) -> HTMLResponse:
    title, advice = _HTTP.get(error.status_code, ("This did not work", "Start from the overview."))
    if error.status_code == status.HTTP_401_UNAUTHORIZED and request.method == "POST":
        # The address of each form is one that can be opened: it leads to where the form is.
        advice = "Nothing was changed: the page needs an Airflow session. Signing in leads back to the form."
    # Airflow's and Starlette's details are single words; ours are sentences.
    own = error.detail if error.status_code in _OWN_WORDS and error.detail.endswith(".") else None
    return error_page(request, error.status_code, title, own or advice)


async def _parameters(request: Request, error: RequestValidationError) -> HTMLResponse:
    # A parameter that may be of several kinds has an error for each of them.
    wrong = {_parameter_name(each): _mistake(each) for each in reversed(error.errors())}
    texts = "; ".join(f"{name}: {text}" for name, text in reversed(wrong.items()))
    return error_page(request, 422, "A value in the address or form is not valid", f"{texts}.")


def _parameter_name(error: Mapping[str, Any]) -> str:
    # Where it stood (query, path or body), its name, and then what is within it.
    return str(error["loc"][:2][-1])


def _mistake(error: Mapping[str, Any]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind.startswith("date_"):
        return "expected a date as YYYY-MM-DD"
    return _MISTAKES.get(kind, "it cannot be read").format(**context).replace("''", "nothing")


async def _place(request: Request, _: Exception) -> HTMLResponse:
    # A place in a list is made by the list itself, of values of its columns.
    return error_page(request, 422, "A value in the address is not valid", "Start again from the overview.")


async def _unavailable(request: Request, error: StoreUnavailableError) -> HTMLResponse:
    # Where PostgreSQL is away the reason is its own, and names nothing that a reader of the page could do.
    advice = f"{error}. If it stays so, tell whoever looks after this deployment."
    return error_page(request, 503, "The store cannot be read", advice)


async def _busy(request: Request, error: StoreBusyError) -> HTMLResponse:
    return error_page(request, 503, "The store is busy", f"{error}.")


async def _configuration(request: Request, error: ConfigurationError) -> HTMLResponse:
    return error_page(request, 500, "The configuration has a mistake", f"{error}.")


async def _database(request: Request, error: psycopg2.Error) -> HTMLResponse:
    if isinstance(error, psycopg2.errors.QueryCanceled):
        return error_page(
            request,
            503,
            "This took the store too long",
            "Narrow it down with the filters, or try again when less is going on.",
        )
    return error_page(
        request,
        503,
        "The store did not answer",
        f"The connection broke off ({type(error).__name__}). Try again; if it stays so, see to the PostgreSQL that "
        f"the connection {STORE_CONNECTION} names, or {READER_CONNECTION} where there is one.",
    )
