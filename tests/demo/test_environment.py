"""The project's environment for Airflow: what is set already wins, and secrets stay with their owner."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from demo import environment
from demo.embedded import Server
from demo.paths import ROOT
from demo.state import DemoRunsAlreadyError, Recorded, alone, forget, record, recorded
from include.config.profiles import load_profiles
from include.config.status_map import load_status_map

DEMO = Recorded(datetime.datetime(2026, 11, 24, 4, tzinfo=datetime.UTC), 9, "1000011", "code", "print", moved_on=False)


def _bare() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ROPO", "PYTHONPATH"))}
    return {**kept, "PATH": os.environ["PATH"]}


@pytest.mark.parametrize("name", ["AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__CORE__DAGS_FOLDER"])
def test_a_variable_that_is_already_set_wins(tmp_path: Path, name: str) -> None:
    assert environment.project_environment({name: "mine"}, tmp_path)[name] == "mine"


def test_the_projects_modules_come_first_and_a_path_that_is_set_stays(tmp_path: Path) -> None:
    path = environment.project_environment({"PYTHONPATH": "/mine"}, tmp_path)["PYTHONPATH"]
    assert path.split(os.pathsep) == [str(ROOT), str(ROOT / "plugins"), "/mine"]


def test_secrets_are_made_once_for_a_home_and_only_its_owner_reads_them(tmp_path: Path) -> None:
    first, second = (environment.project_environment({}, tmp_path / "home") for _ in range(2))
    assert first == second
    assert len({first[name] for name in first if name.endswith(("KEY", "SECRET"))}) == 3
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "home").iterdir()} == {0o600}
    other = environment.project_environment({}, tmp_path / "other")
    assert other["AIRFLOW__CORE__FERNET_KEY"] != first["AIRFLOW__CORE__FERNET_KEY"]


def test_a_home_with_a_configuration_of_its_own_keeps_its_keys(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text("[core]\nfernet_key = mine\n")
    assert "AIRFLOW__CORE__FERNET_KEY" not in environment.project_environment({}, tmp_path)


def test_the_test_button_of_a_connection_can_be_pressed(tmp_path: Path) -> None:
    name = "AIRFLOW__CORE__TEST_CONNECTION"
    assert environment.project_environment({}, tmp_path)[name] == "Enabled"
    assert environment.project_environment({name: "Hidden"}, tmp_path)[name] == "Hidden"


def test_the_demos_connections_are_json_of_the_right_types(tmp_path: Path) -> None:
    variables = environment.with_demo({}, Server(tmp_path, 5432, "password"), DEMO)
    connections = {name: json.loads(variables[name]) for name in variables if name.startswith("AIRFLOW_CONN_")}
    assert {fields["conn_type"] for fields in connections.values()} == {"ropo_one", "postgres"}
    assert connections["AIRFLOW_CONN_ROPO_ONE_DEFAULT"]["host"] == "http://127.0.0.1:9"
    assert connections["AIRFLOW_CONN_ERP_LEDGER"]["login"] == "erp_reader"
    assert set(environment.DEMO_VARIABLES) <= set(variables)


def test_tryton_as_the_ledger_has_its_own_profile_and_a_reader_of_no_other_rights(tmp_path: Path) -> None:
    variables = environment.with_demo({}, Server(tmp_path, 5432, "password"), replace(DEMO, erp="tryton"))
    ledger = json.loads(variables["AIRFLOW_CONN_ERP_LEDGER"])
    assert (ledger["schema"], ledger["login"]) == ("tryton", "tryton_reader")
    (profile,) = load_profiles(Path(variables["ROPO_PROFILES_FILE"]))
    assert (profile.name, profile.ledger.query.name) == ("demo", "tryton.sql")
    words = load_status_map(profile.status_map).ledger
    assert words == load_status_map(profile.ledger.query.with_name("tryton_status_map.yaml")).ledger


def test_a_demo_that_is_not_whole_is_forgotten(tmp_path: Path) -> None:
    forget(tmp_path)
    record(tmp_path, DEMO)
    forget(tmp_path)
    assert recorded(tmp_path) is None


def test_a_home_remembers_its_demo_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    assert recorded(tmp_path) is None
    record(tmp_path, DEMO)
    assert recorded(tmp_path) == DEMO
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_second_demo_in_one_home_is_refused(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(DemoRunsAlreadyError, match="stop it first"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_the_cli_uses_a_metadata_database_that_is_named_and_starts_none(tmp_path: Path) -> None:
    named = f"sqlite:///{tmp_path}/named.db"
    answer = subprocess.run(
        [ROOT / "airflow.sh", "config", "get-value", "database", "sql_alchemy_conn"],
        env={**_bare(), "AIRFLOW_HOME": str(tmp_path), environment.METADATA_VARIABLE: named},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert answer.stdout.splitlines()[-1] == named
    assert not (tmp_path / "postgres").exists()


def test_the_cli_runs_on_the_embedded_postgresql_and_hands_on_the_exit_code(tmp_path: Path) -> None:
    def airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "airflow.sh", *arguments],
            env={**_bare(), "AIRFLOW_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    pools = airflow("pools", "list", "--output", "json")
    assert json.loads(pools.stdout)[0]["pool"] == "default_pool", pools.stderr
    assert airflow("pools", "get", "no_such_pool").returncode == 1
    assert (tmp_path / "postgres" / "data" / "PG_VERSION").read_text().strip() == "18"
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()


def test_the_cli_adds_no_connection_of_the_demo_in_the_demos_own_home(tmp_path: Path) -> None:
    """They would win over the connections that a user makes in the UI."""
    record(tmp_path, DEMO)
    given = {**_bare(), "AIRFLOW_HOME": str(tmp_path)}
    told = subprocess.run(
        [ROOT / "airflow.sh", "connections", "get", "ropo_one_default"],
        env=given, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert told.returncode == 1
    assert "Connection not found" in told.stdout + told.stderr


def test_the_cli_without_an_environment_says_what_to_run(tmp_path: Path) -> None:
    script = tmp_path / "airflow.sh"
    script.write_text((ROOT / "airflow.sh").read_text())
    answer = subprocess.run(["bash", script, "version"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "make install" in answer.stderr
