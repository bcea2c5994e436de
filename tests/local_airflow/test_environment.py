"""The project's environment for Airflow: what is set already wins, and secrets stay with their owner."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from local_airflow import environment
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path


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


def test_tasks_report_to_the_api_server_of_this_machine_on_its_port(tmp_path: Path) -> None:
    name = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
    for_people = {"AIRFLOW__API__BASE_URL": "https://airflow.example.com"}
    assert environment.project_environment(for_people, tmp_path)[name] == "http://localhost:8080/execution/"
    other = {"AIRFLOW__API__PORT": "8095"}
    assert environment.project_environment(other, tmp_path)[name] == "http://localhost:8095/execution/"
    assert environment.project_environment({name: "mine"}, tmp_path)[name] == "mine"


def test_a_home_with_a_configuration_of_its_own_says_where_tasks_report(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text("[api]\nport = 8095\n")
    assert "AIRFLOW__CORE__EXECUTION_API_SERVER_URL" not in environment.project_environment({}, tmp_path)
