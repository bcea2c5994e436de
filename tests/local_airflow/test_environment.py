"""The project's environment for Airflow: what is set already wins, and secrets stay with their owner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local_airflow import environment
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# What Airflow's API answers where tasks report, and where they would report without a path.
ASK_WHERE_TASKS_REPORT = """
import json, os
from urllib.parse import urlsplit
from airflow.api_fastapi.app import create_app
from fastapi.testclient import TestClient

client = TestClient(create_app())
path = urlsplit(os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]).path
print(json.dumps({asked: client.get(asked).status_code for asked in (f"{path}health", "/execution/health")}))
"""


@pytest.mark.parametrize("name", ["AIRFLOW__CORE__EXECUTOR", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__CORE__DAGS_FOLDER"])
def test_a_variable_that_is_already_set_wins(tmp_path: Path, name: str) -> None:
    assert environment.project_environment({name: "mine"}, tmp_path)[name] == "mine"


def test_what_runs_on_made_up_data_knows_nothing_of_an_installation_of_ones_own() -> None:
    own = {
        "AIRFLOW__SECRETS__BACKEND": "a vault",
        "AIRFLOW_CONN_ROPO_ONE_DEFAULT": "a real queue",
        "AIRFLOW_CONFIG": "/etc/airflow.cfg",
        "ROPO_PROFILES_FILE": "/etc/profiles.yaml",
    }
    given = {**own, "AIRFLOW_HOME": "/home", "PATH": "/bin"}
    environment.forget_installation(given)
    assert given == {"AIRFLOW_HOME": "/home", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("given", "exempt"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "erp.example, localhost"}, "erp.example,localhost,127.0.0.1"),
        ({"no_proxy": "a.example", "NO_PROXY": "b.example"}, "a.example,b.example,127.0.0.1,localhost"),
    ],
)
def test_programs_of_this_machine_ask_each_other_past_any_proxy(
    tmp_path: Path, given: dict[str, str], exempt: str
) -> None:
    made = environment.project_environment({"HTTP_PROXY": "http://proxy.example:3128", **given}, tmp_path)
    assert (made["NO_PROXY"], made["no_proxy"], made["HTTP_PROXY"]) == (exempt, exempt, "http://proxy.example:3128")


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


def test_tasks_report_to_the_api_server_of_this_machine_on_its_port(tmp_path: Path) -> None:
    name = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
    for_people = {"AIRFLOW__API__BASE_URL": "https://airflow.example.com"}
    assert environment.project_environment(for_people, tmp_path)[name] == "http://localhost:8080/execution/"
    other = {"AIRFLOW__API__PORT": "8095"}
    assert environment.project_environment(other, tmp_path)[name] == "http://localhost:8095/execution/"
    assert environment.project_environment({name: "mine"}, tmp_path)[name] == "mine"


@pytest.mark.parametrize("address", ["https://example.com/air/flow", "https://example.com/air/flow/", "/air/flow"])
def test_tasks_report_under_the_path_that_the_address_for_people_has(tmp_path: Path, address: str) -> None:
    given = {"AIRFLOW__API__BASE_URL": address, "AIRFLOW__API__PORT": "8095"}
    made = environment.project_environment(given, tmp_path)
    assert made["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://localhost:8095/air/flow/execution/"


def test_airflow_listens_to_tasks_under_that_path_and_nowhere_else(tmp_path: Path) -> None:
    nothing = {environment.METADATA_VARIABLE: "sqlite:////nothing"}
    given = {"AIRFLOW__API__BASE_URL": "https://example.com/air/flow", **nothing}
    told = subprocess.run(
        [sys.executable, "-c", ASK_WHERE_TASKS_REPORT],
        env=environment.project_environment(given, tmp_path), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    answered = json.loads(told.stdout.splitlines()[-1])
    assert answered == {"/air/flow/execution/health": 200, "/execution/health": 404}


def test_a_home_with_a_configuration_of_its_own_says_where_tasks_report(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text("[api]\nport = 8095\n")
    assert "AIRFLOW__CORE__EXECUTION_API_SERVER_URL" not in environment.project_environment({}, tmp_path)
