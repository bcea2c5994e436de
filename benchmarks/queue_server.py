"""A Ropo One that is never what a benchmark waits for: whole answers made ahead, over keep-alive HTTP, one process.

``python -m benchmarks.queue_server`` prints its port and serves until its input ends. The customer number names the
queue, ``<pages>-<days>-<anything>``; each is a queue of its own, from its first page on.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import sys
from functools import lru_cache
from typing import cast
from urllib.parse import parse_qs, urlsplit

from benchmarks.pages import Queue

# Rows of a date that the queue does not have: what a drain has lost.
LOST_ROWS = 10


class _Cursor:
    """Where a queue's reader stands; the next page is made while the reader is busy with the last one."""

    def __init__(self, cid: str) -> None:
        pages, days, *_ = cid.split("-")
        self._queue = Queue(int(pages), int(days))
        self._next = 0
        self._ready: bytes | None = None
        self.prepare()

    def prepare(self) -> None:
        self._ready = self._queue.page(self._next) if self._next < self._queue.pages else None

    def take(self) -> bytes | None:
        self._next += 1
        return self._ready


@lru_cache(maxsize=2)
def _day(pages: int, days: int, day: datetime.date) -> bytes:
    # A queue without a page is that of a customer of whom nothing was ever heard.
    return Queue(pages, days).day(day, LOST_ROWS if pages else 0)


class _Connection(asyncio.Protocol):
    def __init__(self, cursors: dict[str, _Cursor]) -> None:
        self._cursors = cursors
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio declares the base class; a TCP server gives this one.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head.decode().split("\r\n")[1:])
        }
        length = int(headers.get("content-length", 0))
        if not end or len(rest) < length:
            return
        self._received = rest[length:]
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        if method == "POST":
            self._send(201, json.dumps({"token": json.loads(rest[:length])["cid"]}).encode())
        else:
            self._poll(headers["authorization"].removeprefix("Bearer "), target)

    def _poll(self, cid: str, target: str) -> None:
        date = parse_qs(urlsplit(target).query).get("date")
        if date:
            pages, days, *_ = cid.split("-")
            self._send(200, _day(int(pages), int(days), datetime.date.fromisoformat(date[0])))
            return
        cursor = self._cursors.get(cid)
        if cursor is None:
            cursor = self._cursors[cid] = _Cursor(cid)
        page = cursor.take()
        self._send(200 if page else 204, page or b"")
        # After the answer has left.
        asyncio.get_running_loop().call_soon(cursor.prepare)

    def _send(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        head += "\r\n" if status == 204 else f"Content-Length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    cursors: dict[str, _Cursor] = {}
    server = await loop.create_server(lambda: _Connection(cursors), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
