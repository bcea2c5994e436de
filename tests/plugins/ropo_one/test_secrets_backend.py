"""All three connections come from one of Airflow's secrets backends, with nothing of them in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.rows import bulk_rows
from include.simulator.server import SimulatorServer
from local_airflow.cluster import SUPERUSER
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from local_airflow.embedded import Server

DRIVER = """
import psycopg2
from include.config.profiles import Profile
from ropo_one.hooks import RopoOneHook
from ropo_one.store import connection_dsn, open_store
from tests.integration.store.driver import drain

with open_store() as session:
    print(drain(session, RopoOneHook(), Profile(name="default")).new)
with psycopg2.connect(connection_dsn("erp_ledger")).cursor() as ledger:
    ledger.execute("SELECT current_user")
    print(ledger.fetchone()[0])
"""


def test_a_drain_and_the_ledger_use_the_connections_of_a_file(
    postgres: Server, store_name: str, store: Connection, tmp_path: Path
) -> None:
    ropo = Ropo()
    ropo.add_rows(bulk_rows(5))
    connections = {
        "ropo_store": postgres.airflow_connection(store_name, SUPERUSER),
        "erp_ledger": postgres.airflow_connection("erp", "erp_reader"),
    }
    with SimulatorServer(ropo) as server:
        connections["ropo_one_default"] = {
            "conn_type": "ropo_one",
            "host": server.url,
            "login": DEFAULT_CID,
            "password": DEFAULT_APICODE,
        }
        file = tmp_path / "connections.json"
        file.write_text(json.dumps(connections))
        given = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ROPO"))}
        done = subprocess.run(
            [sys.executable, "-c", DRIVER],
            env={
                **given,
                "AIRFLOW_HOME": str(tmp_path),
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}",
                "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
                "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(file)}),
                "NO_PROXY": "127.0.0.1",
            },
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-2:] == ["5", "erp_reader"]
    with store.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ropo.status_event")
        assert cursor.fetchone() == (5,)
    secrets = {DEFAULT_APICODE, postgres.password}
    assert not [secret for secret in secrets if secret in done.stdout + done.stderr]
