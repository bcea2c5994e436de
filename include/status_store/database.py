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

# A drain may hold its session for minutes while Ropo answers: the keepalives find a dead peer within a minute or two,
# and a commit is only reported when it is on disk, since the page exists nowhere else by then.
_SESSION: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 30,
    "keepalives_count": 3,
    "connect_timeout": 10,
    "application_name": "ropo_one",
}


class StoreUnavailableError(RuntimeError):
    """The store cannot be reached, or is not at the migration that this code needs."""


def connect(dsn: str) -> Connection:
    """Open a session of the store.

    :param dsn: libpq connection string or URI.
    :return: a psycopg2 connection, not in autocommit, with ``synchronous_commit`` on and TCP keepalives of 30 s.
    :raises StoreUnavailableError: where PostgreSQL does not let us in. The message holds no password.
    """
    try:
        connection: Connection = psycopg2.connect(dsn, **_SESSION)
    except psycopg2.OperationalError as error:
        reason = _first_line(error)
        raise StoreUnavailableError(f"The store (connection ropo_store) cannot be reached: {reason}") from None
    with connection.cursor() as cursor:
        # Set in the session and not in the startup options, which connection poolers refuse.
        cursor.execute("SET synchronous_commit = on; SET timezone = 'UTC'; SET search_path = ropo, pg_catalog")
    connection.commit()
    return connection


def store_dsn_from_environment() -> str:
    """Return the libpq string of the store that ``AIRFLOW_CONN_ROPO_STORE`` names (JSON or URI, as Airflow reads it).

    :raises StoreUnavailableError: where the variable is missing or names no PostgreSQL.
    """
    value = os.environ.get(STORE_VARIABLE)
    if not value:
        raise StoreUnavailableError(f"{STORE_VARIABLE} is not set; it names the store, as an Airflow connection")
    return dsn_from_airflow(value)


def dsn_from_airflow(value: str) -> str:
    """Turn an Airflow connection in its JSON or URI form into a libpq connection string.

    :raises StoreUnavailableError: where it is neither, or of another type than postgres.
    """
    fields = _from_json(value) if value.lstrip().startswith("{") else _from_uri(value)
    if fields.get("conn_type") not in ("postgres", "postgresql"):
        raise StoreUnavailableError(
            f"{STORE_VARIABLE}: expected a connection of type postgres, got {fields.get('conn_type')!r}"
        )
    return make_dsn(**{key: fields.get(key) for key in ("host", "port", "login", "password", "schema", "extra")})


def make_dsn(
    *,
    host: str | None = None,
    port: int | str | None = None,
    login: str | None = None,
    password: str | None = None,
    schema: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> str:
    """Build a libpq connection string from an Airflow connection's fields; ``extra`` may hold ``ssl…`` settings."""
    options = {key: value for key, value in (extra or {}).items() if key.startswith("ssl")}
    fields = {"host": host, "port": port, "user": login, "password": password, "dbname": schema, **options}
    dsn: str = psycopg2.extensions.make_dsn(**{key: value for key, value in fields.items() if value not in (None, "")})
    return dsn


def _from_json(value: str) -> dict[str, Any]:
    try:
        fields = json.loads(value)
    except ValueError:
        raise StoreUnavailableError(f"{STORE_VARIABLE} is not valid JSON") from None
    if isinstance(fields.get("extra"), str):
        fields["extra"] = json.loads(fields["extra"] or "{}")
    return dict(fields)


def _from_uri(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    extra = dict(parse_qsl(parts.query))
    host = unquote(parts.hostname) if parts.hostname else extra.pop("host", None)  # libpq's form of a socket folder
    return {
        "conn_type": parts.scheme,
        "host": host,
        "port": parts.port,
        "login": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "schema": unquote(parts.path.lstrip("/")),
        "extra": extra,
    }


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
