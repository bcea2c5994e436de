"""The demo's connections and profile: of the right types, and for its own commands only."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

from demo.connections import with_demo
from demo.state import Recorded, record
from include.config.profiles import load_profiles
from include.config.status_map import load_status_map
from local_airflow.embedded import Server
from local_airflow.paths import ROOT

DEMO = Recorded(datetime.datetime(2026, 11, 24, 4, tzinfo=datetime.UTC), 9, "1000011", "code", "print", moved_on=False)


def test_the_demos_connections_are_json_of_the_right_types(tmp_path: Path) -> None:
    variables = with_demo({}, Server(tmp_path, 5432, "password"), DEMO)
    connections = {name: json.loads(variables[name]) for name in variables if name.startswith("AIRFLOW_CONN_")}
    assert {fields["conn_type"] for fields in connections.values()} == {"ropo_one", "postgres"}
    assert connections["AIRFLOW_CONN_ROPO_ONE_DEFAULT"]["host"] == "http://127.0.0.1:9"
    assert connections["AIRFLOW_CONN_ERP_LEDGER"]["login"] == "erp_reader"
    assert {"AIRFLOW_CONN_ROPO_STORE", "ROPO_PROFILES_FILE"} <= set(variables)


def test_tryton_as_the_ledger_has_its_own_profile_and_a_reader_of_no_other_rights(tmp_path: Path) -> None:
    variables = with_demo({}, Server(tmp_path, 5432, "password"), replace(DEMO, erp="tryton"))
    ledger = json.loads(variables["AIRFLOW_CONN_ERP_LEDGER"])
    assert (ledger["schema"], ledger["login"]) == ("tryton", "tryton_reader")
    (profile,) = load_profiles(Path(variables["ROPO_PROFILES_FILE"]))
    assert (profile.name, profile.ledger.query.name) == ("demo", "tryton.sql")
    words = load_status_map(profile.status_map).ledger
    assert words == load_status_map(profile.ledger.query.with_name("tryton_status_map.yaml")).ledger


def test_airflow_sh_adds_none_of_them_in_the_demos_own_home(tmp_path: Path) -> None:
    """They would win over the connections that a user makes in the UI."""
    record(tmp_path, DEMO)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ROPO", "PYTHONPATH"))}
    given = {**kept, "AIRFLOW_HOME": str(tmp_path)}
    told = subprocess.run(
        [ROOT / "airflow.sh", "connections", "get", "ropo_one_default"],
        env=given, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert told.returncode == 1
    assert "Connection not found" in told.stdout + told.stderr
