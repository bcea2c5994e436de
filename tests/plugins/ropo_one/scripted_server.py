"""A Ropo One on loopback that answers as a test writes down, byte for byte, and counts what it is asked."""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    Step = bytes | Callable[["Peer"], None]

TOKEN = "/rest/token"
STATUS = "/rest/jobs/statusupdates"


def answer(status: int, body: bytes | str | Mapping[str, object] = b"", **headers: str) -> bytes:
    """A whole answer; the connection stays open after it. Underscores in header names stand for hyphens."""
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    payload = content.encode() if isinstance(content, str) else content
    fields = {"Content-Type": "application/json", "Content-Length": str(len(payload))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + payload


def page(*rows: Mapping[str, object]) -> bytes:
    """A page with these rows."""
    return answer(200, {"result": {"status": list(rows)}})


EMPTY = answer(204).replace(b"Content-Length: 0\r\n", b"")


def then_close(data: bytes = b"") -> Step:
    """Say this much and close the connection."""
    return lambda peer: peer.end(data)


def then_reset(data: bytes = b"") -> Step:
    """Say this much and break the connection off (RST)."""
    return lambda peer: peer.end(data, reset=True)


def then_hang(data: bytes = b"") -> Step:
    """Say this much and nothing more, until the client gives up."""
    return lambda peer: peer.hang(data)


def then_drip(data: bytes = b"") -> Step:
    """Say this much, and then a space every now and then, until the client gives up."""
    return lambda peer: peer.drip(data)


@dataclass(frozen=True)
class Request:
    """What came.

    :param connection: the number of the TCP connection that it came on.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    connection: int


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.number = number
        self.ended = False
        self._socket = sock
        self._stream = sock.makefile("rb")

    def read(self) -> Request | None:
        """The next request; None where the client has closed."""
        line = self._stream.readline().decode()
        if not line:
            return None
        method, target, _ = line.split()
        headers: dict[str, str] = {}
        while (field := self._stream.readline().decode().strip()) != "":
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        body = self._stream.read(int(headers.get("content-length", "0")))
        url = urlsplit(target)
        return Request(method, url.path, dict(parse_qsl(url.query)), headers, body, self.number)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_beneath_tls(self, data: bytes) -> None:
        """Write to the bare connection, as a proxy does that fails."""
        os.write(self._socket.fileno(), data)

    def end(self, data: bytes, *, reset: bool = False) -> None:
        self.send(data)
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def hang(self, data: bytes) -> None:
        self.send(data)
        self._stream.read(1)
        self.close()

    def drip(self, data: bytes) -> None:
        self.send(data)
        while not select.select([self._socket], [], [], 0.05)[0]:
            self.send(b" ")
        self.close()

    def close(self) -> None:
        self.ended = True
        self._stream.close()
        self._socket.close()


class ScriptedServer:
    """Answers polls in the order of the script, and 204 when it is over; tokens are given, one after another.

    :param tls: speak TLS with this context.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self.script: list[Step] = []
        self.token_script: list[Step] = []
        self.requests: list[Request] = []
        self._changed = threading.Condition()
        self._peers: list[Peer] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @property
    def polls(self) -> list[Request]:
        return [request for request in self.requests if request.path == STATUS]

    @property
    def tokens(self) -> list[Request]:
        return [request for request in self.requests if request.path == TOKEN]

    def polls_will_be(self, *steps: Step) -> None:
        self.script.extend(steps)

    def tokens_will_be(self, *steps: Step) -> None:
        self.token_script.extend(steps)

    def wait_until_closed(self) -> None:
        """Wait until every connection so far is closed from this side."""
        with self._changed:
            done = self._changed.wait_for(lambda: all(peer.ended for peer in self._peers), timeout=10)
        if not done:
            raise TimeoutError("a connection is still open")

    def stop(self) -> None:
        """Stop listening; nobody can connect any more."""
        if self._accepting.is_alive():
            self._listener.shutdown(socket.SHUT_RDWR)
            self._accepting.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            peer = Peer(self.tls.wrap_socket(sock, server_side=True) if self.tls else sock, len(self._peers))
        except OSError:  # the client did not like our certificate
            sock.close()
            return
        self._peers.append(peer)
        try:
            self._talk(peer)
        except OSError:  # the client left
            peer.close()
        with self._changed:
            peer.ended = True
            self._changed.notify_all()

    def _talk(self, peer: Peer) -> None:
        while not peer.ended and (request := peer.read()) is not None:
            self.requests.append(request)
            step = self._step(request)
            if isinstance(step, bytes):
                peer.send(step)
            else:
                step(peer)

    def _step(self, request: Request) -> Step:
        if request.path == TOKEN:
            return (
                self.token_script.pop(0) if self.token_script else answer(201, {"token": f"t0ken-{len(self.tokens)}"})
            )
        return self.script.pop(0) if self.script else EMPTY
