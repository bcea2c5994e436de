"""Which database holds Airflow's metadata: one that a variable or a configuration file names, or the embedded one."""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import TYPE_CHECKING

from local_airflow.environment import METADATA_VARIABLE, METADATA_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTION = "sql_alchemy_conn"
_OPTIONS = (_OPTION, f"{_OPTION}_cmd", f"{_OPTION}_secret")
_SECTIONS = ("database", "core")  # the second as in Airflow 2, which Airflow still reads
_SQLITE = "sqlite:///"


def is_named(given: Mapping[str, str], home: Path) -> bool:
    """Whether the user has named a metadata database.

    :param given: the variables that are set.
    :param home: Airflow's home, whose configuration file is read where there is one.
    :return: False if the embedded one is to be used.
    """
    return _naming(given, home) is not None


def described(given: Mapping[str, str], home: Path) -> str:
    """Return the metadata database as it may be printed: without a password, and with the place that names it.

    :param given: and ``home``: as for :func:`is_named`.
    """
    naming = _naming(given, home)
    if naming is None:
        return f"the embedded PostgreSQL in {home}, since no metadata database of Airflow's is named"
    place, address = naming
    return f"{_without_password(address) if address else 'the metadata database'} ({place})"


def unreachable(given: Mapping[str, str]) -> str | None:
    """Return why nobody can log in to the metadata database that the variable names; None where somebody can.

    Airflow would say it in a hundred lines. Where a file, a command or a secrets backend names the database, only
    Airflow can read the address: None, too.
    """
    from sqlalchemy import create_engine, pool  # as in `_without_password`
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

    address = os.path.expandvars(given.get(METADATA_VARIABLE, ""))  # as Airflow reads it
    if not address:
        return None
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # SQLAlchemy's own text repeats the address, and so the password.
        return (
            f"{METADATA_VARIABLE}: expected an address such as postgresql+psycopg2://user:password@host:5432/airflow, "
            "with special characters percent-encoded; SQLAlchemy cannot read this one"
        )
    patience = {"connect_timeout": 10} if url.get_backend_name() == "postgresql" else {}
    try:
        create_engine(url, poolclass=pool.NullPool, connect_args=patience).connect().close()
    except OperationalError as error:
        cause = str(error.orig).strip().partition("\n")[0]
        port = f"port {url.port}" if url.port else "its usual port"
        place = f"database {url.database} on {url.host or 'this machine'}, {port}"
        return f"Airflow's metadata database cannot be reached ({METADATA_VARIABLE}: {place}): {cause}"
    except (SQLAlchemyError, ImportError):
        return None  # such as a driver that only Airflow finds: Airflow says what it is
    return None


def holds_the_store(given: Mapping[str, str]) -> bool:
    """Whether the metadata database that the variable names has the store in it, which wants a database of its own.

    :param given: as for :func:`unreachable`, which found nothing.
    """
    from sqlalchemy import create_engine, inspect, pool  # as in `_without_password`
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    address = os.path.expandvars(given.get(METADATA_VARIABLE, ""))
    if not address or make_url(address).get_backend_name() != "postgresql":
        return False
    try:
        return inspect(create_engine(address, poolclass=pool.NullPool)).has_table("status_poll", schema="ropo")
    except (SQLAlchemyError, ImportError):
        return False  # as above


def _naming(given: Mapping[str, str], home: Path) -> tuple[str, str] | None:
    """The place that names it, and its address; an empty one where the place tells Airflow only how to ask for it."""
    for name in METADATA_VARIABLES:
        if given.get(name):
            return name, given[name] if name == METADATA_VARIABLE else ""
    named = given.get("AIRFLOW_CONFIG")
    file = Path(os.path.expandvars(named)).expanduser() if named else home / "airflow.cfg"
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        settings.read_string(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError, configparser.Error):
        return str(file), ""  # Airflow says what is wrong with it
    for section in _SECTIONS:
        for option in _OPTIONS:
            value = settings.get(section, option, fallback="").strip()
            if value and not _is_airflows_own(value):
                return f"{option} in {file}", value if option == _OPTION else ""
    return None


def _is_airflows_own(value: str) -> bool:
    """Whether it is what Airflow writes into the configuration file of a new home, and nobody has used it."""
    path = Path(os.path.expandvars(value.removeprefix(_SQLITE))).expanduser()
    return value.startswith(_SQLITE) and path.name == "airflow.db" and not path.exists()


def _without_password(address: str) -> str:
    from sqlalchemy.engine import make_url  # a quarter of a second, for those who are told only
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(address).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "an address that SQLAlchemy cannot read"
