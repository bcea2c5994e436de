"""Connections to the store's PostgreSQL."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg2
import psycopg2.extensions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from psycopg2.extensions import connection as Connection

    Connect = Callable[[], Connection]

STORE_VARIABLE = "AIRFLOW_CONN_ROPO_STORE"
MIGRATE_COMMAND = "make migrate"

# What every session of ours asks of libpq. A drain may hold its session for minutes while Ropo answers: the keepalives
# find a dead peer within a minute or two.
SESSION: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 30,
    "keepalives_count": 3,
    # Keepalives are not sent while a statement waits for its answer: this bounds that wait for a dead peer.
    "tcp_user_timeout": 120_000,
    "connect_timeout": 10,
    "application_name": "ropo_one",
    # Whatever the database's encoding is: what it cannot hold is then PostgreSQL's error on that row, not the driver's.
    "client_encoding": "UTF8",
}
# Set in the session and not in the startup options, which connection poolers refuse. A commit is only reported when it
# is on disk, since the page exists nowhere else by then. PostgreSQL's own keepalives end the session of a machine that
# vanished, which would hold the queue's lock for hours.
_SETTINGS = """
SET synchronous_commit = on;
SET timezone = 'UTC';
SET search_path = ropo, pg_catalog;
SET tcp_keepalives_idle = 30;
SET tcp_keepalives_interval = 30;
SET tcp_keepalives_count = 3;
"""


class StoreUnavailableError(RuntimeError):
    """The store cannot be reached, or is not at the migration that this code needs."""


def connect(dsn: str, connection_id: str = "ropo_store") -> Connection:
    """Open a session of the store.

    :param dsn: libpq connection string or URI.
    :param connection_id: where it stands in Airflow, for the error.
    :return: a psycopg2 connection, not in autocommit, with ``synchronous_commit`` on and TCP keepalives of 30 s.
    :raises StoreUnavailableError: where PostgreSQL does not let us in. The message holds no password.
    """
    try:
        connection: Connection = psycopg2.connect(dsn, **SESSION)
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
        connection.commit()
    except psycopg2.OperationalError as error:
        reason = first_line(error)
        raise StoreUnavailableError(f"The store (connection {connection_id}) cannot be reached: {reason}") from None
    except psycopg2.ProgrammingError:
        # libpq quotes the piece that it cannot read, which may be of the password.
        raise StoreUnavailableError(
            f"The store (connection {connection_id}): its address is no libpq connection string"
        ) from None
    return connection


def store_dsn_from_environment() -> str:
    """Return the libpq string of the store that ``AIRFLOW_CONN_ROPO_STORE`` names (JSON or URI, as Airflow reads it).

    :raises StoreUnavailableError: where the variable is missing or names no PostgreSQL.
    """
    return dsn_from_environment(STORE_VARIABLE, "the store")


def dsn_from_environment(variable: str, what: str) -> str:
    """Return the libpq string of a connection that a variable holds as Airflow reads it (JSON or URI).

    :param variable: ``AIRFLOW_CONN_<CONNECTION>``.
    :param what: it names, for the error.
    :raises StoreUnavailableError: where the variable is missing or names no PostgreSQL.
    """
    value = os.environ.get(variable)
    if not value:
        raise StoreUnavailableError(f"{variable} is not set; it names {what}, as an Airflow connection")
    return dsn_from_airflow(value, variable)


def dsn_from_airflow(value: str, variable: str = STORE_VARIABLE) -> str:
    """Turn an Airflow connection in its JSON or URI form into a libpq connection string.

    :param variable: where it stood, for the error.
    :raises StoreUnavailableError: where it is neither, or of another type than postgres. The message holds nothing of
        the value, which has a password in it.
    """
    try:
        fields = _from_json(value) if value.lstrip().startswith("{") else _from_uri(value)
    except ValueError:
        raise StoreUnavailableError(
            f"{variable}: expected an Airflow connection as JSON or as a URI, where special characters are "
            "percent-encoded: postgres://user:password@host:port/database"
        ) from None
    if fields.get("conn_type") not in ("postgres", "postgresql"):
        raise StoreUnavailableError(
            f"{variable}: expected a connection of type postgres, got {fields.get('conn_type')!r}"
        )
    known = {key: fields.get(key) for key in ("host", "port", "login", "password", "schema", "extra")}
    return make_dsn(**known, named=variable)


def make_dsn(
    *,
    host: str | None = None,
    port: int | str | None = None,
    login: str | None = None,
    password: str | None = None,
    schema: str | None = None,
    extra: Mapping[str, Any] | None = None,
    named: str = "The connection",
) -> str:
    """Build a libpq connection string from an Airflow connection's fields.

    :param extra: libpq's settings in it are taken, but those that the other fields stand for; the rest is Airflow's.
    :param named: the connection, for the error.
    :raises StoreUnavailableError: naming an ``ssl…`` setting that libpq does not know.
    """
    # A misspelt setting of TLS must not be passed over.
    options = {key: value for key, value in (extra or {}).items() if key.startswith("ssl") or _libpq_knows(key)}
    fields = {**options, "host": host, "port": port, "user": login, "password": password, "dbname": schema}
    try:
        dsn: str = psycopg2.extensions.make_dsn(
            **{key: value for key, value in fields.items() if value not in (None, "")}
        )
    except psycopg2.ProgrammingError:
        raise StoreUnavailableError(
            f"{named}: its extra holds a setting that libpq does not know; it has {sorted(options)}"
        ) from None
    return dsn


def _libpq_knows(setting: str) -> bool:
    if not (setting.isidentifier() and setting.isascii()):
        return False
    try:
        psycopg2.extensions.parse_dsn(f"{setting}=x")
    except psycopg2.ProgrammingError:
        return False
    return True


def _from_json(value: str) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(value)
    return {**fields, "extra": _extra(fields.get("extra"))}


def _from_uri(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    extra: dict[str, Any] = dict(parse_qsl(parts.query))
    if "__extra__" in extra:  # Airflow's form of extras that are no plain texts
        extra = _extra(extra["__extra__"])
    host = unquote(parts.hostname or "")
    if host.startswith("/"):  # a socket folder, whose letters urlsplit has made small
        host = unquote(parts.netloc.rpartition("@")[2].partition(":")[0])
    return {
        "conn_type": parts.scheme,
        "host": host,
        "port": parts.port,
        "login": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "schema": unquote(parts.path.lstrip("/")),
        "extra": extra,
    }


def _extra(value: object) -> dict[str, Any]:
    extra = json.loads(value or "{}") if isinstance(value, str) else value or {}
    if not isinstance(extra, dict):
        raise ValueError("extra: expected a JSON object")  # noqa: TRY004 - a value of the user's, not our type
    return extra


def first_line(error: psycopg2.Error) -> str:
    """Return what is wrong by PostgreSQL or libpq, in one line: those that follow may quote a statement or a row."""
    said = error.diag.message_primary or str(error)
    return (said.strip().splitlines() or [type(error).__name__])[0]
