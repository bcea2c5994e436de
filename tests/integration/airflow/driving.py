"""The driver of this folder's tests: an Airflow's variables, its process, and runs of the project's DAGs in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID
from local_airflow import environment
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from local_airflow.embedded import Server


def variables(
    postgres: Server, metadata_template: str, store: str, ledger: str, home: pathlib.Path, url: str, *, profiles: str
) -> dict[str, str]:
    """The environment of an Airflow of its own, with the text of its profiles file.

    :param metadata_template: the name of a migrated database, to copy from.
    :param store: a database's name, and ``ledger``; ``url``: of Ropo One.
    """
    (home / "profiles.yaml").write_text(profiles, encoding="utf-8")
    ropo = {"conn_type": "ropo_one", "host": url, "login": DEFAULT_CID, "password": DEFAULT_APICODE}
    given = {
        environment.METADATA_VARIABLE: postgres.dsn(
            postgres.fresh_database("metadata", template=metadata_template), driver="psycopg2"
        ),
        "AIRFLOW_CONN_ROPO_STORE": json.dumps(postgres.airflow_connection(store)),
        "AIRFLOW_CONN_ERP_LEDGER": json.dumps(postgres.airflow_connection(ledger)),
        "AIRFLOW_CONN_ROPO_ONE_DEFAULT": json.dumps(ropo),
        "ROPO_PROFILES_FILE": str(home / "profiles.yaml"),
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
    }
    return environment.project_environment(given, home)


@contextmanager
def driving(given: dict[str, str], log: IO[str]) -> Iterator[subprocess.Popen[str]]:
    """The process of ``night_driver.py``."""
    command = [sys.executable, str(ROOT / "tests" / "integration" / "airflow" / "night_driver.py")]
    pipe = subprocess.PIPE
    driver = subprocess.Popen(command, env=given, stdin=pipe, stdout=pipe, stderr=log, text=True)
    try:
        yield driver
    finally:
        driver.kill()
        driver.communicate()


def ask(driver: subprocess.Popen[str], order: dict[str, Any]) -> dict[str, Any]:
    """Have one run made, and return what became of it."""
    assert driver.stdin is not None
    assert driver.stdout is not None
    driver.stdin.write(json.dumps(order) + "\n")
    driver.stdin.flush()
    answer = driver.stdout.readline()
    if not answer:
        raise RuntimeError(f"the driver ended at {order}")
    found: dict[str, Any] = json.loads(answer)
    return found
