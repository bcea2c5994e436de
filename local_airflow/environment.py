"""The environment variables that the project's Airflow runs with. A variable that is already set always wins."""

from __future__ import annotations

import base64
import os
import secrets
from typing import TYPE_CHECKING

from include.config.execution_api import URL_VARIABLE, execution_url
from local_airflow.paths import ROOT, private_directory
from local_airflow.secret_files import read_or_create

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from local_airflow.embedded import Server

METADATA_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# Of the API server.
PORT_VARIABLE = "AIRFLOW__API__PORT"
# Airflow takes the same setting as a command or from a secrets backend, too.
METADATA_VARIABLES = (METADATA_VARIABLE, f"{METADATA_VARIABLE}_CMD", f"{METADATA_VARIABLE}_SECRET")


def forget_installation(variables: MutableMapping[str, str]) -> None:
    """Take out what names an installation of the user's: connections, a secrets backend, settings, profiles.

    For whatever runs on made-up data: a secrets backend is asked before the variables, so that its drains would empty a
    real queue into a store that is thrown away.

    :param variables: as they are set; ``AIRFLOW_HOME`` stays.
    """
    for name in [*variables]:
        if name.startswith(("AIRFLOW", "ROPO")) and name != "AIRFLOW_HOME":
            del variables[name]


def past_proxies(given: Mapping[str, str]) -> dict[str, str]:
    """What lets programs on this machine ask each other though the user has a proxy."""
    named = [name for variable in ("no_proxy", "NO_PROXY") for name in given.get(variable, "").split(",")]
    exempt = ",".join(dict.fromkeys([*filter(None, map(str.strip, named)), "127.0.0.1", "localhost"]))
    return {"NO_PROXY": exempt, "no_proxy": exempt}


def project_environment(given: Mapping[str, str], home: Path) -> dict[str, str]:
    """The project's Airflow, whatever databases it uses.

    :param given: the variables that are set already; they win.
    :param home: Airflow's home; its secrets are made there on first use.
    :return: ``given`` and what it lacks.
    """
    private_directory(home)
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # The "Test" button of a connection, which Airflow ships switched off. Ropo One's fetches a token only.
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        **({} if _has_its_own_configuration(home) else {**_api_of_this_machine(given), **_secrets(home)}),
        **given,
        **past_proxies(given),
    }
    path = [str(ROOT), str(ROOT / "plugins"), *given.get("PYTHONPATH", "").split(os.pathsep)]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(filter(None, path)))
    # Airflow starts `airflow` and `python` by name.
    environment["PATH"] = os.pathsep.join([str(ROOT / ".venv" / "bin"), given.get("PATH", os.defpath)])
    return environment


def with_embedded_metadata(environment: Mapping[str, str], server: Server) -> dict[str, str]:
    """Airflow's metadata in the embedded PostgreSQL.

    :param environment: the variables so far.
    :param server: the running server.
    :return: them, and the metadata database.
    """
    return {**environment, METADATA_VARIABLE: server.dsn("airflow", driver="psycopg2")}


def _has_its_own_configuration(home: Path) -> bool:
    """Whether somebody has set Airflow up there before us, with keys and addresses of theirs."""
    return (home / "airflow.cfg").exists() and not (home / "fernet-key").exists()


def _api_of_this_machine(given: Mapping[str, str]) -> dict[str, str]:
    """Where tasks report.

    Airflow would take the address that is for people (``base_url``), or port 8080; a task that reaches nobody there
    ends without a word.
    """
    server = f"http://localhost:{given.get(PORT_VARIABLE, '8080')}"
    return {
        URL_VARIABLE: execution_url(server, given),
        # The API server of a busy machine may take longer than Airflow's five seconds, and the task would fail.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
    }


def _secrets(home: Path) -> dict[str, str]:
    """Made here and not left to each process: processes that do not agree on them refuse each other's tokens."""
    names = {
        "AIRFLOW__CORE__FERNET_KEY": "fernet-key",
        "AIRFLOW__API_AUTH__JWT_SECRET": "jwt-secret",
        "AIRFLOW__API__SECRET_KEY": "api-secret-key",
    }
    return {name: read_or_create(home / file, _key) for name, file in names.items()}


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
