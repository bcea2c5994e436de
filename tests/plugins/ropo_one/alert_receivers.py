"""Where alerts and metrics go in tests (a mail server, a StatsD socket), and what Airflow hands those who send them."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import queue
import socket
import socketserver
import ssl
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage


class _Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client of one message needs; of RFC 3207 and 4954 where the server has a certificate."""

    def setup(self) -> None:
        server = cast("MailServer", self.server)
        if server.tls and server.is_tls_from_the_start:
            self.request = server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        server = cast("MailServer", self.server)
        is_logged_in = not server.tls
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper().decode()
            if verb == "DATA":
                self._say("354 go on")
                server.received.put(self._data())
                self._say("250 kept")
            elif verb == "EHLO" and server.tls:
                self._say("250-here", "250 AUTH PLAIN" if isinstance(self.request, ssl.SSLSocket) else "250 STARTTLS")
            elif verb == "STAR" and server.tls:
                self._say("220 go on")
                self.request = server.tls.wrap_socket(self.request, server_side=True)
                super().setup()
            elif verb == "AUTH":
                _, login, password = base64.b64decode(line.split()[2]).decode().split("\0")
                server.logins.put((login, password))
                is_logged_in = True
                self._say("235 known")
            elif verb == "MAIL" and not is_logged_in:
                self._say("530 log in first")
            elif verb == "RCPT" and server.refuses:
                self._say("550 no such person")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self) -> EmailMessage:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps each message that it is sent.

    :param tls: its certificate; with one it takes messages over TLS alone, and only of who logs in.
    :param is_tls_from_the_start: as servers do on port 465; by default the client asks for TLS, as on port 587.
    :ivar refuses: whether it knows none of the recipients.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None, *, is_tls_from_the_start: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.received: queue.Queue[EmailMessage] = queue.Queue()
        self.logins: queue.Queue[tuple[str, str]] = queue.Queue()
        self.refuses = False
        self.tls = tls
        self.is_tls_from_the_start = is_tls_from_the_start

    @property
    def airflow_connection(self) -> str:
        """The server as an ``AIRFLOW_CONN_…`` value."""
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "ropo@example.com"}
        port = self.server_address[1]
        return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra})

    def mails(self) -> list[EmailMessage]:
        """Take what came."""
        found = []
        while not self.received.empty():
            found.append(self.received.get())
        return found


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, is_tls_from_the_start: bool = False) -> Iterator[MailServer]:
    """A mail server that serves while the block runs."""
    with MailServer(tls, is_tls_from_the_start=is_tls_from_the_start) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def body(mail: EmailMessage) -> str:
    """The text of a mail's HTML part."""
    part = mail.get_body(("html",)) or next(part for part in mail.walk() if part.get_content_type() == "text/html")
    return str(cast("EmailMessage", part).get_content())


class StatsdSocket:
    """Collects the datagrams that come to a UDP socket."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def metrics(self, prefix: str) -> dict[str, str]:
        """Return what came until the socket is silent: name to value and kind, such as ``3|g``."""
        self._socket.settimeout(0.2)
        lines = []
        try:
            while True:
                lines += self._socket.recv(65536).decode().split("\n")
        except TimeoutError:
            pass
        pairs = (line.partition(":") for line in lines)
        return {name: value for name, _, value in pairs if name.startswith(prefix)}

    def close(self) -> None:
        self._socket.close()


class Instance:
    """What a task is told of itself."""

    dag_id, run_id = "ropo_status_drain", "run 1"


class Run:
    """The run that a task is of."""

    run_type = "scheduled"
    partition_key = "2026-10-31"


def context_of(dag_id: str, task_id: str, task: object) -> Any:
    """What Airflow hands the callback of a task."""
    instance = SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id="run 1", task=task, map_index=0)
    return {"ti": instance, "dag_run": Run(), "params": {}}
