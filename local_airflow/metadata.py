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
