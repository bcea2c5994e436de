"""Where the store is, from an Airflow connection; and what every session of it has."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from psycopg2.extensions import parse_dsn

from include.status_store.airflow_connection import dsn_from_airflow, make_dsn
from include.status_store.database import StoreUnavailableError, connect, store_dsn_from_environment
from local_airflow.cluster import free_port
from tests.include.status_store.views import column, execute, query

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import connection as Connection

    from local_airflow import embedded

PASSWORD = "s3cret/secr3t"


def settings_of(store: Connection, names: Iterable[str]) -> dict[str, str]:
    """Settings of a session, by their names."""
    return dict(query(store, "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", ([*names],)))


def test_a_setting_of_libpq_reaches_the_session(postgres: embedded.Server, store_name: str) -> None:
    connection = {**postgres.airflow_connection(store_name), "extra": {"options": "-c work_mem=13MB"}}

    with closing(connect(dsn_from_airflow(json.dumps(connection), "AIRFLOW_CONN_ROPO_STORE"))) as session:
        assert query(session, "SHOW work_mem") == [("13MB",)]


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"conn_type": "postgres", "host": "h", "login": "ropo", "schema": "store"}
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(fields))

    assert parse_dsn(store_dsn_from_environment()) == {"host": "h", "user": "ropo", "dbname": "store"}


@pytest.mark.parametrize(
    ("value", "told"),
    [("", " is not set; it names the store"), ("mysql://db.example/store", ": expected a connection of type postgres")],
)
def test_a_store_without_a_connection_is_not_to_be_had(monkeypatch: pytest.MonkeyPatch, value: str, told: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", value)

    with pytest.raises(StoreUnavailableError, match=f"^AIRFLOW_CONN_ROPO_STORE{told}"):
        store_dsn_from_environment()


def test_a_session_commits_to_disk_and_notices_the_dead(store_dsn: str) -> None:
    wanted = {
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "client_encoding": "UTF8",
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "30",
        "tcp_keepalives_count": "3",
    }
    with closing(connect(store_dsn)) as connection:
        found = settings_of(connection, wanted)
        parameters = connection.info.dsn_parameters

        assert found == wanted
        assert not connection.autocommit
        assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("30", "120000")


def test_what_a_role_or_database_sets_for_its_own_people_is_not_the_sessions(
    store_name: str, store_dsn: str, store: Connection
) -> None:
    settings = {
        # A month that is signed meanwhile would not be seen by a comparison that began before.
        "default_transaction_isolation": ("serializable", "read committed"),
        "jit": ("on", "off"),
        # A drain's session idles while Ropo answers.
        "idle_session_timeout": ("3s", "0"),
        "idle_in_transaction_session_timeout": ("3s", "0"),
        "transaction_timeout": ("3s", "0"),
    }
    known = column(store, "SELECT name FROM pg_settings WHERE name = ANY (%s)", ([*settings],))
    for name in known:
        execute(store, f'ALTER DATABASE "{store_name}" SET {name} = %s', (settings[str(name)][0],))

    with closing(connect(store_dsn)) as connection:
        found = settings_of(connection, settings)
        isolation = column(connection, "SHOW transaction_isolation")

    assert found == {name: settings[str(name)][1] for name in known}
    assert isolation == ["read committed"]


def test_a_session_waits_for_no_lock_without_an_end(store_dsn: str) -> None:
    with closing(connect(store_dsn)) as connection:
        assert query(connection, "SHOW lock_timeout") == [("10min",)]


def test_a_server_that_is_not_there_is_an_error_without_the_password(postgres: embedded.Server) -> None:
    with pytest.raises(StoreUnavailableError, match=r"cannot be reached.*refused") as caught:
        connect(make_dsn(host="127.0.0.1", port=free_port(), login="ropo", password=PASSWORD))

    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_an_error_without_it(postgres: embedded.Server) -> None:
    with pytest.raises(StoreUnavailableError, match="password authentication failed") as caught:
        connect(make_dsn(host=postgres.host, port=postgres.port, login="store", password=PASSWORD, schema="store"))

    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_no_address_is_an_error_without_its_pieces() -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        connect("postgresql://ropo:s3cret%zz@db.example/store")

    assert "s3cret" not in str(caught.value)
