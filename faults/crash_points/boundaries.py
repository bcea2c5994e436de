"""The boundaries of a run's outside effects, and how a process is brought to a stand at one of them.

An outside effect is a commit, the taking or giving back of the queue's lock, and an HTTP request. Each has boundaries:

- ``commit:before``: PostgreSQL has not been asked; ``commit:sent``: it has committed, and its answer waits unread;
  ``commit:acknowledged``: it has been read. ``lock:…`` and ``unlock:…`` likewise.
- ``request:before``: no byte has left; ``request:begun``: headers without their body; ``request:answered``: the server
  has executed it, and no byte of its answer has been read; ``request:read-1``, ``-2``, …: so many parts of it have.

A boundary's name begins with the phase and the function of ours that causes the effect, and counts its turns:
``drain/land#2/commit:sent``. They are found by watching, so new effects in the code are new boundaries here by
themselves. The code under test runs unchanged: what is watched is psycopg2's connection and Python's ``http.client``.
"""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import sys
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection as Pipe

OURS = ("include.status_store.", "ropo_one.")
# Ways to an effect, not reasons for one.
NOT_CAUSES = ("include.status_store.session", "include.status_store.database", "ropo_one.http_session")
# An answer of two rows comes in three or four parts.
PART = 192


class Effect:
    """One outside effect, with its place in the run."""

    def __init__(self, watch: Watch, kind: str) -> None:
        self._watch = watch
        place = f"{watch.phase}/{_cause()}"
        watch.turns[place, kind] += 1
        self._name = f"{place}#{watch.turns[place, kind]}/{kind}"

    def point(self, edge: str) -> str:
        """The name of one of its boundaries."""
        return f"{self._name}:{edge}"

    def at(self, edge: str) -> None:
        """The run stands at that boundary."""
        self._watch.reached(self.point(edge))

    def is_wanted(self, edge: str) -> bool:
        """Whether the run is to be stopped there."""
        return self.point(edge) == self._watch.next_stop


class Watch:
    """Watches this process from now on, for good; the process is one run and ends with it.

    :param points: where it is to stand, in this order.
    :param pipe: says ``("at", point, backends)`` there, and waits for ``"go"`` or ``"die"``.
    """

    def __init__(self, points: list[str], pipe: Pipe) -> None:
        self.phase = "start"
        self.turns: Counter[tuple[str, str]] = Counter()
        self.trace: list[str] = []
        self.missed = list(points)
        self.connections: list[Any] = []
        self._pipe = pipe
        _watch_store(self)
        _watch_http(self)

    @property
    def next_stop(self) -> str | None:
        """The boundary at which the run is to stand next."""
        return self.missed[0] if self.missed else None

    def reached(self, point: str) -> None:
        """Note a boundary, and stand there if it is the next stop."""
        self.trace.append(point)
        if point != self.next_stop:
            return
        self.missed.pop(0)
        backends = [connection.info.backend_pid for connection in self.connections if not connection.closed]
        self._pipe.send(("at", point, backends))
        if self._pipe.recv() == "die":
            # Not an exception, nor an exit: no handler, no finally and no destructor of anybody's runs. The kernel
            # closes the sockets.
            os.kill(os.getpid(), signal.SIGKILL)


def _cause() -> str:
    """The innermost function of ours on the stack that is the reason for an effect."""
    frame = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(OURS) and not module.startswith(NOT_CAUSES):
            return frame.f_code.co_qualname.replace(".<locals>", "").replace(".<lambda>", "")
        frame = frame.f_back  # type: ignore[assignment]
    return "nobody"


def _watch_store(watch: Watch) -> None:
    class WatchedCursor(psycopg2.extensions.cursor):
        def execute(self, query: Any, values: Any = None) -> None:
            kind = _lock_kind(query)
            if kind is None:
                super().execute(query, values)
            else:
                _watched(Effect(watch, kind), self.connection, partial(super().execute, query, values))

    class WatchedConnection(psycopg2.extensions.connection):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            watch.connections.append(self)

        def cursor(self, *arguments: Any, **named: Any) -> Any:
            return super().cursor(*arguments, **{"cursor_factory": WatchedCursor, **named})

        def commit(self) -> None:
            _watched(Effect(watch, "commit"), self, super().commit)

    psycopg2.connect = partial(psycopg2.connect, connection_factory=WatchedConnection)


def _lock_kind(query: Any) -> str | None:
    if isinstance(query, str) and "advisory_unlock(" in query:
        return "unlock"
    return "lock" if isinstance(query, str) and "advisory_lock(" in query else None


def _watched(effect: Effect, connection: Any, ask: Callable[[], None]) -> None:
    """Ask PostgreSQL for an effect, with a stand at each of its boundaries."""
    effect.at("before")
    if effect.is_wanted("sent"):
        # Only where it is wanted does psycopg2 let Python wait for the answer; else its usual way stays as it is.
        psycopg2.extensions.set_wait_callback(partial(_wait, effect, connection))
        try:
            ask()
        finally:
            psycopg2.extensions.set_wait_callback(None)
    else:
        ask()
        effect.at("sent")
    effect.at("acknowledged")


def _wait(effect: Effect, watched: Any, connection: Any) -> None:
    while (state := connection.poll()) != psycopg2.extensions.POLL_OK:
        if state == psycopg2.extensions.POLL_WRITE:
            select.select([], [connection.fileno()], [])
            continue
        select.select([connection.fileno()], [], [])
        if connection is watched and effect.is_wanted("sent"):
            effect.at("sent")


def _watch_http(watch: Watch) -> None:
    asked: dict[int, _Asked] = {}
    send = http.client.HTTPConnection.send
    read = socket.SocketIO.readinto

    def watched_send(self: http.client.HTTPConnection, data: Any) -> None:
        if self.sock is None:
            self.connect()
        before = asked.get(self.sock.fileno())
        if before is None or before.answered:
            asked[self.sock.fileno()] = before = _Asked(Effect(watch, "request"))
            before.effect.at("before")
        else:
            before.effect.at("begun")
        send(self, data)

    def watched_read(self: socket.SocketIO, buffer: Any) -> int | None:
        question = asked.get(self.fileno())
        if question is None:
            return read(self, buffer)
        return question.read(self, partial(read, self), memoryview(buffer))

    http.client.HTTPConnection.send = watched_send  # type: ignore[method-assign]
    socket.SocketIO.readinto = watched_read  # type: ignore[method-assign,assignment]


class _Asked:
    """A request that is under way."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        self.answered = False
        self._came = 0

    def read(self, stream: socket.SocketIO, read: Callable[[Any], int | None], buffer: memoryview) -> int | None:
        """Read what comes, at most to the end of the part."""
        if not self.answered:
            select.select([stream.fileno()], [], [])
            self.answered = True
            self.effect.at("answered")
        count = read(buffer[: PART - self._came % PART])
        self._came += count or 0
        if count and self._came % PART == 0:
            self.effect.at(f"read-{self._came // PART}")
        return count
