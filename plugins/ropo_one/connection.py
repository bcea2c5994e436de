"""The fields of a connection of type "Ropo One"."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from ropo_one.exceptions import RopoConnectionInvalidError

if TYPE_CHECKING:
    from airflow.sdk import Connection

# A public client of Ropo's allows a request 240 s.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 240.0


class RopoConnection(msgspec.Struct, frozen=True, kw_only=True):
    """A checked connection.

    :param base_url: scheme, host and port, without a slash at the end.
    :param connect_timeout: and ``read_timeout``: seconds.
    """

    base_url: str
    cid: str
    apicode: str
    connect_timeout: float = CONNECT_TIMEOUT
    read_timeout: float = READ_TIMEOUT

    @property
    def host(self) -> str:
        """Host and port, as a queue is known by them."""
        return urlsplit(self.base_url).netloc.lower()

    def __repr__(self) -> str:
        # The API code must not come out with a traceback's locals or a log of this object.
        return f"RopoConnection(base_url={self.base_url!r}, cid={self.cid!r})"


def read_connection(connection: Connection) -> RopoConnection:
    """Check an Airflow connection's fields.

    :raises RopoConnectionInvalidError: naming the connection and the field.
    """
    name = connection.conn_id
    for field, label in (("host", "Host"), ("login", "Customer number"), ("password", "API code")):
        if not (getattr(connection, field) or "").strip():
            raise RopoConnectionInvalidError(f"Connection {name}: {label} ({field}) is empty")
    return RopoConnection(
        base_url=_base_url(name, connection.host or "", connection.port),
        cid=(connection.login or "").strip(),
        apicode=(connection.password or "").strip(),
        connect_timeout=_seconds(connection, "connect_timeout", CONNECT_TIMEOUT),
        read_timeout=_seconds(connection, "read_timeout", READ_TIMEOUT),
    )


def _base_url(name: str | None, host: str, port: int | None) -> str:
    host = host.strip().rstrip("/")
    url = host if "://" in host else f"https://{host}"
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise RopoConnectionInvalidError(
            f"Connection {name}: Host (host): expected a host such as https://rc.ropo24.fi, got another form"
        )
    return f"{url}:{port}" if port and parts.port is None else url


def _seconds(connection: Connection, key: str, default: float) -> float:
    value = connection.extra_dejson.get(key)
    if value in (None, ""):
        return default
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: extra {key}: expected seconds above 0, got {value!r}"
        )
    return seconds
