"""Ropo One's documented endpoints over HTTP, and the control API beside them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from include.simulator.answers import Answer, problem
from include.simulator.control import control_router
from include.simulator.transport import WireResponse

if TYPE_CHECKING:
    from include.simulator.ropo import Ropo

# Both are read from the request as it came, since a wrong one is answered as Ropo One does; here they are described.
_CREDENTIALS = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"cid": {"type": "string"}, "apicode": {"type": "string"}},
                    "required": ["cid", "apicode"],
                }
            }
        },
    }
}
_FILTERS = {
    "parameters": [
        {"name": "date", "in": "query", "required": False, "schema": {"type": "string", "format": "date"}},
        {"name": "billnum", "in": "query", "required": False, "schema": {"type": "string"}},
    ]
}


def create_app(ropo: Ropo) -> FastAPI:
    """The simulator's application; broken connections need :class:`SimulatorServer` below it.

    :param ropo: the state that it serves.
    """
    app = FastAPI(title="Ropo One simulator", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(control_router(ropo))

    @app.post("/rest/token", openapi_extra=_CREDENTIALS)
    async def token(request: Request) -> WireResponse:
        try:
            wish = json.loads(await request.body())
        except (ValueError, ClientDisconnect):
            wish = None
        if not isinstance(wish, dict):
            wish = {}
        return await _sent(ropo.issue_token(wish.get("cid"), wish.get("apicode")))

    @app.get("/rest/jobs/statusupdates", openapi_extra=_FILTERS)
    async def status_updates(request: Request) -> WireResponse:
        query = request.query_params.multi_items()
        return await _sent(ropo.poll(_bearer(request), query, request.headers.keys()))

    @app.get("/rest/jobs")
    async def job(request: Request, jobid: str) -> WireResponse:
        return await _sent(ropo.snapshot(_bearer(request), jobid))

    @app.exception_handler(HTTPException)
    async def refuse(_request: Request, error: HTTPException) -> WireResponse:
        return WireResponse(problem(error.status_code, str(error.detail)))

    @app.exception_handler(RequestValidationError)
    async def refuse_invalid(_request: Request, error: RequestValidationError) -> WireResponse:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return WireResponse(problem(422, wrong))

    return app


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


async def _sent(answer: Answer) -> WireResponse:
    if answer.delay:
        await asyncio.sleep(answer.delay)
    return WireResponse(answer.then() if answer.then else answer)
