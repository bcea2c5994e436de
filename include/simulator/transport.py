"""Answers on the wire, the broken ones too: these go past the HTTP library, straight to the connection."""

from __future__ import annotations

import socket
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Receive, Scope, Send

    from include.simulator.answers import Answer

_TRANSPORT = "transport"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ReachableTransport(H11Protocol):
    """uvicorn's HTTP/1.1, with the connection within reach of the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn itself
        """Hand the connection on in each request's state."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class WireResponse(Response):
    """Puts an answer on the wire as it says.

    :param answer: its delay is the caller's to keep.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, answer.status, answer.headers)
        if answer.status == HTTPStatus.NO_CONTENT:
            del self.headers["content-length"]
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it whole, or break the connection as told."""
        if self.answer.delivery == "whole":
            await super().__call__(scope, receive, send)
            return
        transport: asyncio.Transport = scope["state"][_TRANSPORT]
        if self.answer.delivery in ("cut", "cut_chunked"):
            transport.write(_beginning(self.answer))
        elif self.answer.delivery == "reset":
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass


def _beginning(answer: Answer) -> bytes:
    sent = answer.body[: int(len(answer.body) * answer.sent_share)]
    headers = dict(answer.headers)
    if answer.delivery == "cut":
        headers["Content-Length"] = str(len(answer.body) + 1)
    else:
        headers["Transfer-Encoding"] = "chunked"
        sent = b"%x\r\n%b\r\n" % (len(sent), sent) if sent else b""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + sent
