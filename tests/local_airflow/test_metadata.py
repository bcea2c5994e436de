"""Which metadata database Airflow has: one that a variable or a configuration file names, or the embedded one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_airflow import environment, metadata

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "postgresql+psycopg2://airflow:s3cret@db.example:5433/airflow?sslpassword=s3cret"


@pytest.mark.parametrize("name", environment.METADATA_VARIABLES)
def test_it_is_named_by_a_variable_in_any_of_airflows_ways(tmp_path: Path, name: str) -> None:
    assert metadata.is_named({name: "x"}, tmp_path)
    assert not metadata.is_named({name: ""}, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        f"[database]\nsql_alchemy_conn = {ADDRESS}\n",
        "[database]\nSQL_Alchemy_Conn_CMD = cat /run/secrets/metadata\n",
        "[database]\nsql_alchemy_conn =\nsql_alchemy_conn_secret = metadata\n",
        f"[core]\nsql_alchemy_conn = {ADDRESS}%%40\n",
        "[database]\nsql_alchemy_conn = sqlite:////var/lib/airflow/own.db\n",
        "no configuration file at all",
    ],
    ids=["address", "command", "secret", "where Airflow 2 had it", "SQLite of a name of its own", "unreadable"],
)
def test_it_is_named_by_airflows_configuration_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "airflow.cfg").write_text(text)
    assert metadata.is_named({}, tmp_path)


def test_another_configuration_file_is_read_where_a_variable_names_it(tmp_path: Path) -> None:
    (tmp_path / "other.cfg").write_text(f"[database]\nsql_alchemy_conn = {ADDRESS}\n")
    assert metadata.is_named({"AIRFLOW_CONFIG": str(tmp_path / "other.cfg")}, tmp_path)
    assert not metadata.is_named({}, tmp_path)


def test_what_airflow_writes_of_itself_into_a_new_home_names_nothing_until_the_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text(f"[database]\nsql_alchemy_conn = sqlite:///{tmp_path}/airflow.db\n")
    assert not metadata.is_named({}, tmp_path)
    (tmp_path / "airflow.db").touch()
    assert metadata.is_named({}, tmp_path)


def test_a_home_without_a_configuration_file_names_nothing(tmp_path: Path) -> None:
    assert not metadata.is_named({}, tmp_path)
    assert metadata.described({}, tmp_path) == (
        f"the embedded PostgreSQL in {tmp_path}, since no metadata database of Airflow's is named"
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (environment.METADATA_VARIABLE, ADDRESS, "postgresql+psycopg2://airflow:***@db.example:5433/airflow"),
        (environment.METADATA_VARIABLE, "s3cret", "an address that SQLAlchemy cannot read"),
        (f"{environment.METADATA_VARIABLE}_CMD", "echo s3cret", "the metadata database"),
    ],
)
def test_what_is_said_of_it_holds_no_password(tmp_path: Path, name: str, value: str, told: str) -> None:
    assert metadata.described({name: value}, tmp_path) == f"{told} ({name})"


def test_an_address_that_only_airflow_understands_is_left_to_airflow() -> None:
    assert metadata.unreachable({environment.METADATA_VARIABLE: "postgres://airflow@127.0.0.1:9/airflow"}) is None
