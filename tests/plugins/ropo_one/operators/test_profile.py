"""An operator opens the store that its connection names, or says what to mend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from include.status_store.airflow_connection import ConnectionInvalidError
from include.status_store.database import StoreUnavailableError
from local_airflow.cluster import SUPERUSER
from ropo_one.operators.profile import ProfileOperator
from ropo_one.store import connection_dsn

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Context

    from local_airflow.embedded import Server


def operator(profile: str = "default") -> ProfileOperator:
    return ProfileOperator(task_id="a_task", profile=profile)


def test_it_opens_a_session_of_the_store(store_connection: str, store_name: str) -> None:
    with operator().session() as session, session.transaction() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == (store_name,)


def test_the_map_index_is_the_profiles_name() -> None:
    assert operator().map_index_template == "{{ task.profile }}"
    assert operator().template_fields == ("profile",)


def test_what_a_run_was_given_and_nothing_reads_is_refused_before_anything_is_done() -> None:
    """Who names a profile for the maintenance, which is of all of them, would have texts of each erased."""
    with DAG("a_dag", schedule=None, params={"billnum": "1", "profile": "default"}) as one, DAG("all", schedule=None):
        of_all = operator()
    of_one = ProfileOperator(task_id="one", profile="default", dag=one)
    of_one.pre_execute(cast("Context", {"params": {"billnum": "1", "profile": "default"}}))
    of_all.pre_execute(cast("Context", {"params": {}}))
    for each, given, told in (
        (of_all, {"profile": "beta"}, "given 'profile', .* no param but none. It is of every profile of the file"),
        (
            of_one,
            {"billnum": "1", "x": 1},
            "given 'x', which nothing reads: expected no param but 'billnum', 'profile'$",
        ),
    ):
        with pytest.raises(AirflowFailException, match=told):
            each.pre_execute(cast("Context", {"params": given}))


def test_a_missing_connection_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE", raising=False)
    with pytest.raises(
        StoreUnavailableError, match=r"Connection ropo_store does not exist: add .* AIRFLOW_CONN_ROPO_STORE"
    ):
        operator().session()


def test_a_connection_whose_variable_cannot_be_read_is_told_from_one_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", "postgres://ropo:s3cret/rest@db/ropo")
    with pytest.raises(
        StoreUnavailableError,
        match=r"^Connection ropo_store: AIRFLOW_CONN_ROPO_STORE is set, but cannot be read: .*JSON",
    ) as no:
        operator().session()
    assert "s3cret" not in str(no.value)


def test_a_connection_of_another_type_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps({"conn_type": "mysql", "password": "s3cret"}))
    with pytest.raises(
        StoreUnavailableError, match="Connection ropo_store: expected the type postgres, got 'mysql'"
    ) as no:
        operator().session()
    assert "s3cret" not in str(no.value)


def test_a_connection_without_a_database_is_refused_and_not_read_from_the_one_named_like_its_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps({"conn_type": "postgres", "host": "h", "login": "ropo"}))
    with pytest.raises(StoreUnavailableError, match=r"^Connection ropo_store: schema is empty: expected the name of t"):
        operator().session()


def test_a_setting_that_libpq_does_not_know_is_told_of_the_connection_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = {"conn_type": "postgres", "host": "h", "extra": {"sslmod": "require"}}
    monkeypatch.setenv("AIRFLOW_CONN_ERP_LEDGER", json.dumps(ledger))
    with pytest.raises(ConnectionInvalidError, match=r"^Connection erp_ledger: its extra holds 'sslmod'"):
        connection_dsn("erp_ledger")


@pytest.mark.parametrize("extra", ["[1]", '{"sslmode": "verify-full", }', "sslmode=verify-full&sslkey=s3cret"])
def test_an_extra_that_is_no_json_object_is_refused_and_does_not_switch_tls_off(
    monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    for variable in ("AIRFLOW_CONN_ERP_LEDGER", "AIRFLOW_CONN_ROPO_STORE"):
        monkeypatch.setenv(variable, json.dumps({"conn_type": "postgres", "host": "h", "extra": extra}))

    with pytest.raises(ConnectionInvalidError, match=r"^Connection erp_ledger: Extra \(extra\): expected a JSON") as no:
        connection_dsn("erp_ledger")
    with pytest.raises(StoreUnavailableError, match=r"^Connection ropo_store: Extra \(extra\): expected a JSON"):
        operator().session()

    assert "s3cret" not in str(no.value)


def test_a_ledger_without_a_connection_is_no_store_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ERP_LEDGER", raising=False)
    with pytest.raises(ConnectionInvalidError, match=r"^Connection erp_ledger does not exist: add .*_ERP_LEDGER"):
        connection_dsn("erp_ledger")
    assert not issubclass(ConnectionInvalidError, StoreUnavailableError)


def test_a_store_that_is_not_set_up_is_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch, postgres: Server
) -> None:
    bare = postgres.airflow_connection(postgres.fresh_database("bare"), SUPERUSER)
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(bare))
    with pytest.raises(StoreUnavailableError, match=r"ropo_store.*`make migrate`"):
        operator().session()


@pytest.mark.parametrize("changes", [{"password": "s3cret"}, {"port": 9}, {"schema": "nowhere"}])
def test_a_store_that_does_not_let_us_in_is_named(
    monkeypatch: pytest.MonkeyPatch, postgres: Server, store_name: str, changes: dict[str, object]
) -> None:
    fields = postgres.airflow_connection(store_name, SUPERUSER) | changes
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(fields))
    with pytest.raises(StoreUnavailableError, match=r"connection ropo_store\) cannot be reached") as unreachable:
        operator().session()
    assert str(fields["password"]) not in str(unreachable.value)


def test_a_profile_that_is_not_in_the_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "profiles.yaml"
    file.write_text("profiles: [{name: sweden}]", encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    with pytest.raises(Exception, match=r"profiles\.yaml.*finland"):
        _ = operator("finland").settings
    assert operator("sweden").hook.ropo_conn_id == "ropo_one_default"
