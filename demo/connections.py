"""The demo's connections and its profiles file, as variables of Airflow's environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from demo.tryton.client import READER as TRYTON_READER
from include.status_store.database import STORE_VARIABLE
from local_airflow.embedded import LEDGER_READER
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from demo.state import Erp, Recorded
    from local_airflow.embedded import Server

PROFILES_FILE = ROOT / "demo" / "profiles.yaml"
PROFILES_FILES: dict[Erp, Path] = {
    "plain": PROFILES_FILE,
    "tryton": ROOT / "demo" / "tryton" / "profiles.yaml",
}
# The ledger's database and the role that reads it.
LEDGERS: dict[Erp, tuple[str, str]] = {"plain": ("erp", LEDGER_READER), "tryton": ("tryton", TRYTON_READER)}


def with_demo(environment: Mapping[str, str], server: Server, demo: Recorded) -> dict[str, str]:
    """The demo's connections and profile: Ropo One's stand-in, the store and the ledger.

    :param environment: the variables so far.
    :param server: the running server, provisioned.
    :param demo: where Ropo One's stand-in listens.
    :return: them, and what the demo's data needs, each of it the demo's own and for its own commands only: a stand-in's
        codes must not explain a real queue. DAGs that are new run at once, a few tasks at a time.
    """
    ropo_one = {
        "conn_type": "ropo_one",
        "host": demo.url,
        "login": demo.cid,
        "password": demo.apicode,
    }
    connections = {
        "AIRFLOW_CONN_ROPO_ONE_DEFAULT": ropo_one,
        STORE_VARIABLE: server.airflow_connection("store"),
        "AIRFLOW_CONN_ERP_LEDGER": server.airflow_connection(*LEDGERS[demo.erp]),
    }
    values = {name: json.dumps(fields) for name, fields in connections.items()}
    return {
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "8",
        # On a small or busy machine Airflow's own 5 s are too short, and tasks fail that were never run.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        **environment,
        **values,
        "ROPO_PROFILES_FILE": str(PROFILES_FILES[demo.erp]),
    }
