"""A TCP proxy before PostgreSQL that can lose an answer: the server has done its work, and the client never hears."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
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

    @property
    def dsn(self) -> str:
        """The same database, through the proxy."""
        login, _, _ = self._parts.netloc.rpartition("@")
        port = self._listener.getsockname()[1]
        return self._parts._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()

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
        server = socket.create_connection((self._parts.hostname, self._parts.port))
        losing = threading.Event()
        threading.Thread(target=self._answers, args=(server, client, losing), daemon=True).start()
        with client, server, suppress(OSError):
            while data := client.recv(65536):
                if _COMMIT in data and self._lose.is_set():
                    self._lose.clear()
                    losing.set()
                server.sendall(data)

    def _answers(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if losing.is_set():
                    self.lost += 1
                    break
                client.sendall(data)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
