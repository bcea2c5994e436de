"""What an Airflow connection of a PostgreSQL says, as libpq reads it: of the store, of its reader, of a ledger."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg2
import psycopg2.extensions

if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRES_TYPES = ("postgres", "postgresql")
# Airflow's own names of a connection's fields, in its JSON form.
FIELDS = ("conn_type", "description", "host", "port", "login", "password", "schema", "extra")
# What libpq and others call them.
_MEANT = {
    "database": "schema",
    "dbname": "schema",
    "db": "schema",
    "user": "login",
    "username": "login",
    "type": "conn_type",
    "hostname": "host",
}

# Names, addresses of either version, and folders of sockets; libpq takes several.
_HOST = r"(?:/[^@,]*|[\w.-]+|[0-9A-Fa-f:.]+(?:%[\w.-]+)?)"
_HOSTS = re.compile(f"{_HOST}(?:,{_HOST})*")


class ConnectionInvalidError(ValueError):
    """The Airflow connection of a database is missing, or holds something that cannot be used."""


def dsn_from_environment(variable: str, what: str) -> str:
    """Return the libpq string of a connection that a variable holds as Airflow reads it (JSON or URI).

    :param variable: ``AIRFLOW_CONN_<CONNECTION>``.
    :param what: it names, for the error.
    :raises ConnectionInvalidError: if the variable is missing, or names no PostgreSQL, database or role.
    """
    value = os.environ.get(variable)
    if not value:
        raise ConnectionInvalidError(f"{variable} is not set; it names {what}, as an Airflow connection")
    dsn = dsn_from_airflow(value, variable)
    require_whole(dsn, variable)
    return dsn


def require_whole(dsn: str, named: str) -> None:
    """Refuse a connection that leaves its database or its role to libpq.

    libpq takes the database that is named like the role, and the role that is named like the process's user: the store
    would be made in another database than the one that was meant.

    :param named: the connection, for the error.
    :raises ConnectionInvalidError: naming Airflow's field.
    """
    settings = psycopg2.extensions.parse_dsn(dsn)
    if "service" in settings:  # libpq's own file of services names them
        return
    for setting, field, what in (("dbname", "schema", "the database"), ("user", "login", "the role")):
        if setting not in settings:
            raise ConnectionInvalidError(f"{named}: {field} is empty: expected the name of {what} there")


def dsn_from_airflow(value: str, variable: str) -> str:
    """Turn an Airflow connection in its JSON or URI form into a libpq connection string.

    :param variable: where it stood, for the error.
    :raises ConnectionInvalidError: if it is neither, of another type than postgres, or has a field that Airflow does
        not know. The message holds nothing of the value, which has a password in it.
    """
    fields = from_json(value, variable) if is_json(value) else _from_uri(value, variable)
    if fields.get("conn_type") not in POSTGRES_TYPES:
        raise ConnectionInvalidError(
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
    :raises ConnectionInvalidError: naming a setting with ``ssl`` in it, however written, that libpq does not know; or
        if the host is none, which is not repeated: an address with its password may stand there, and libpq's errors
        would tell it.
    """
    if host and not _HOSTS.fullmatch(host):
        raise ConnectionInvalidError(
            f"{named}: host: expected the name or address of a machine, or the folder of a socket, and nothing of the "
            "other fields. What stands there is not repeated"
        )
    options = {key: value for key, value in (extra or {}).items() if _libpq_knows(key)}
    # A misspelt setting of TLS must not be passed over: the connection would do without.
    misspelt = sorted(key for key in extra or {} if "ssl" in key.lower() and key not in options)
    if misspelt:
        raise ConnectionInvalidError(
            f"{named}: its extra holds {', '.join(map(repr, misspelt))}, which libpq does not know; its settings are "
            "in small letters, as in sslmode"
        )
    fields = {**options, "host": host, "port": port, "user": login, "password": password, "dbname": schema}
    dsn: str = psycopg2.extensions.make_dsn(**{key: value for key, value in fields.items() if value not in (None, "")})
    return dsn


def _libpq_knows(setting: str) -> bool:
    if not (setting.isidentifier() and setting.isascii()):
        return False
    try:
        psycopg2.extensions.parse_dsn(f"{setting}=x")
    except psycopg2.ProgrammingError:
        return False
    return True


def is_json(value: str) -> bool:
    """Tell whether a connection is meant to be JSON, as Airflow does: all else is a URI to it."""
    return value.lstrip().startswith("{")


def from_json(value: str, named: str) -> dict[str, Any]:
    """Return the fields of an Airflow connection in its JSON form, its extra as a mapping.

    :param named: where it stood, for the error.
    :raises ConnectionInvalidError: if Airflow could not read it, or its extra. Nothing of the values is repeated.
    """
    try:
        fields: dict[str, Any] = json.loads(value)
    except json.JSONDecodeError as error:
        raise ConnectionInvalidError(
            f"{named}: it is no valid JSON: {error.msg}, in line {error.lineno}, column {error.colno}"
        ) from None
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        told = ", ".join(
            f"{name!r}" + (f" (its name is {_MEANT[name]!r})" if name in _MEANT else "") for name in unknown
        )
        raise ConnectionInvalidError(
            f"{named}: unknown field{'s' if len(unknown) > 1 else ''} {told}; a connection has {', '.join(FIELDS)}"
        )
    if not str(fields.get("port") or 0).isdecimal():
        raise ConnectionInvalidError(f"{named}: port: expected a number")
    try:
        extra = read_extra(fields.get("extra"))
    except ValueError:
        raise ConnectionInvalidError(f"{named}: Extra (extra): expected a JSON object") from None
    return {**fields, "extra": extra}


def _from_uri(value: str, named: str) -> dict[str, Any]:
    try:
        return _parts_of(value)
    except ValueError:
        raise ConnectionInvalidError(
            f"{named}: expected an Airflow connection as JSON or as a URI, where special characters are "
            "percent-encoded: postgres://user:password@host:port/database"
        ) from None


def _parts_of(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    # A password with a / or # that is not encoded ends early: what is left of it would be taken for the host, and told.
    if "@" in parts.path or "@" in parts.fragment:
        raise ValueError("expected special characters to be percent-encoded")
    extra: dict[str, Any] = dict(parse_qsl(parts.query))
    if "__extra__" in extra:  # Airflow's form of extras that are no plain texts
        extra = read_extra(extra["__extra__"])
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


def read_extra(value: object) -> dict[str, Any]:
    """Return the settings in a connection's extra: the text of a JSON object, or the object itself; none where empty.

    :raises ValueError: for anything else.
    """
    extra = json.loads(value or "{}") if isinstance(value, str) else value or {}
    if not isinstance(extra, dict):
        raise ValueError("extra: expected a JSON object")  # noqa: TRY004 - a value of the user's, not our type
    return extra
