"""A TCP proxy before PostgreSQL: it can lose an answer, act in the middle of a commit, and lead elsewhere."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_COMMIT = b"COMMIT\0"


class LossyProxy:
    """Passes bytes on, until it is told to lose the answer to the next COMMIT.

    :param dsn: URI of the server behind it.
    """

    def __init__(self, dsn: str) -> None:
        self._parts = urlsplit(dsn)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lose = threading.Event()
        self.lost = 0
        self._turn = threading.Lock()
        self._commits_left = 0
        self._act: Callable[[], object] = list

    @property
    def dsn(self) -> str:
        """The same database, through the proxy."""
        login, _, _ = self._parts.netloc.rpartition("@")
        port = self._listener.getsockname()[1]
        return self._parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()

    def lead_to(self, dsn: str) -> None:
        """Lead new connections to a server that has been started again elsewhere."""
        self._parts = urlsplit(dsn)

    def at_commit(self, number: int, act: Callable[[], object]) -> None:
        """Act in the middle of the n-th next commit: it has reached the server, and its answer is not here.

        :param number: 1 is the next.
        :param act: called in the proxy's own thread.
        """
        with self._turn:
            self._commits_left, self._act = number, act

    def lose_next_commit(self) -> None:
        """Pass the next COMMIT on, swallow its answer, and end that connection."""
        self._lose.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((str(self._parts.hostname), self._parts.port or 5432))
        except OSError:  # it is away; so is this end, then
            client.close()
            return
        losing = threading.Event()
        threading.Thread(target=self._answers, args=(server, client, losing), daemon=True).start()
        with suppress(OSError):
            while data := client.recv(65536):
                if _COMMIT in data and self._lose.is_set():
                    self._lose.clear()
                    losing.set()
                server.sendall(data)
                if _COMMIT in data:
                    self._count_commit()
        _end(client, server)

    def _count_commit(self) -> None:
        with self._turn:
            self._commits_left -= 1
            due = self._commits_left == 0
        if due:
            self._act()

    def _answers(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if losing.is_set():
                    self.lost += 1
                    break
                client.sendall(data)
        _end(client, server)


def _end(*sockets: socket.socket) -> None:
    """End both connections; to close a socket does not, while another thread waits in it."""
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
