"""The fields of a connection of type "Ropo One"."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ropo_one.airflow_connections import extra_of, look_up
from ropo_one.exceptions import RopoConnectionInvalidError

if TYPE_CHECKING:
    from airflow.sdk import Connection

CONNECTION_TYPE = "ropo_one"
# A public client of Ropo's allows a request 240 s.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 240.0
# So that a drain's task, which has half an hour, is hardly ended in the middle of its last poll (hooks.py has the sum).
LONGEST_CONNECT_TIMEOUT = 30.0
LONGEST_READ_TIMEOUT = 300.0

# What the form and the README name; and Airflow's own `verify`, of which it is said what stands here in its place.
_EXTRAS = ("connect_timeout", "read_timeout", "ca_file", "verify")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, kw_only=True)
class RopoConnection:
    """A checked connection.

    :param base_url: scheme, host and port, without a slash at the end.
    :param connect_timeout: and ``read_timeout``: seconds.
    :param ca_file: certificates to trust instead of the usual ones.
    """

    base_url: str
    cid: str
    apicode: str = field(repr=False)
    connect_timeout: float = CONNECT_TIMEOUT
    read_timeout: float = READ_TIMEOUT
    ca_file: str | None = None

    @property
    def host(self) -> str:
        """Host, and port where it is not the scheme's own, as a queue is known by them."""
        parts = urlsplit(self.base_url)
        # However it is spelled: two profiles must not take one queue for two.
        name = (parts.hostname or "").rstrip(".")
        name = f"[{name}]" if ":" in name else name
        return name if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{name}:{parts.port}"


def get_connection(conn_id: str) -> RopoConnection:
    """Look an Airflow connection up, and check its fields.

    :raises RopoConnectionInvalidError: naming the connection, and the field or how to add it.
    """
    return read_connection(look_up(conn_id, CONNECTION_TYPE, RopoConnectionInvalidError))


def read_connection(connection: Connection) -> RopoConnection:
    """Check an Airflow connection's fields.

    :raises RopoConnectionInvalidError: naming the connection and the field.
    """
    if connection.conn_type != CONNECTION_TYPE:
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: expected the type {CONNECTION_TYPE}, got {connection.conn_type!r}; "
            "a URI needs the form ropo-one://customer:apicode@host, with a hyphen"
        )
    _refuse_unknown_extras(connection)
    return RopoConnection(
        base_url=_base_url(connection),
        cid=_required(connection, "login", "Customer number"),
        apicode=_required(connection, "password", "API code"),
        connect_timeout=_seconds(connection, "connect_timeout", CONNECT_TIMEOUT, LONGEST_CONNECT_TIMEOUT),
        read_timeout=_seconds(connection, "read_timeout", READ_TIMEOUT, LONGEST_READ_TIMEOUT),
        ca_file=_ca_file(connection),
    )


def _required(connection: Connection, name: str, label: str) -> str:
    # JSON may give a number.
    value = getattr(connection, name)
    text = "" if value is None else str(value).strip()
    if not text:
        raise RopoConnectionInvalidError(f"Connection {connection.conn_id}: {label} ({name}) is empty")
    return text


def _base_url(connection: Connection) -> str:
    host = _required(connection, "host", "Host")
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
        port = parts.port or connection.port
        # What the resolver would stumble over: an empty label, one of more than 63 characters.
        usable = parts.scheme in _DEFAULT_PORTS and bool((parts.hostname or "").encode("idna"))
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.query or parts.fragment or len(host.split()) > 1:
        # The host is not repeated: somebody may have put a password into it.
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: Host (host): expected a host such as https://rc.ropo24.fi, "
            "got another form"
        )
    if parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: Host (host): expected https, got http: API code, token and answers "
            "would cross the network in the clear. Plain HTTP is for this machine's own addresses only"
        )
    if "rest" in parts.path.casefold().split("/"):
        # As it stands before every path in Ropo One's own documentation.
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: Host (host): write scheme, host and port only, as in "
            "https://rc.ropo24.fi; /rest is added to it"
        )
    netloc = parts.netloc if port == parts.port else f"{parts.netloc.rstrip(':')}:{port}"
    return f"{parts.scheme}://{netloc}{parts.path}".rstrip("/")


def _is_this_machine(hostname: str) -> bool:
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"


def _refuse_unknown_extras(connection: Connection) -> None:
    # A misspelt timeout would be the usual one, without a word. A form may leave fields behind that nobody filled in.
    extras = extra_of(connection, RopoConnectionInvalidError)
    unknown = [name for name, value in extras.items() if name not in _EXTRAS and value not in (None, "")]
    if unknown:
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: Extra (extra): {', '.join(map(repr, unknown))} is not known; it may "
            f"hold {', '.join(_EXTRAS[:3])}"
        )


def _extra(connection: Connection, key: str) -> Any:
    return extra_of(connection, RopoConnectionInvalidError).get(key)


def _ca_file(connection: Connection) -> str | None:
    # Airflow's HTTP connections have `verify`: somebody may expect that it works here, too.
    if _extra(connection, "verify") not in (None, "", True):
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: extra verify: the server's certificate is always verified; to trust a "
            "CA of your own, name its file in the extra ca_file"
        )
    value = _extra(connection, "ca_file")
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not Path(value).is_file():
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: extra ca_file: expected the path of a PEM file that every worker has, "
            f"got {value!r}, which is not there"
        )
    return value


def _seconds(connection: Connection, key: str, default: float, longest: float) -> float:
    value = _extra(connection, key)
    if value in (None, ""):
        return default
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds <= longest:
        raise RopoConnectionInvalidError(
            f"Connection {connection.conn_id}: extra {key}: expected seconds above 0 and up to {longest:g}, "
            f"got {value!r}"
        )
    return seconds
