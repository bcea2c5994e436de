"""Where the store is, from an Airflow connection; and what every session of it has."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn

from include.status_store.database import (
    StoreUnavailableError,
    connect,
    dsn_from_airflow,
    make_dsn,
    store_dsn_from_environment,
)
from local_airflow.cluster import free_port
from tests.include.status_store.views import query

if TYPE_CHECKING:
    from local_airflow import embedded

EVERYTHING = {"user": "ropo", "password": "pass", "host": "db.example", "port": "5433", "dbname": "store"}
FIELDS = {
    "conn_type": "postgres", "login": "ropo", "password": "pass", "host": "db.example", "port": 5433, "schema": "store",
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("postgres://ropo:pass@db.example:5433/store", EVERYTHING),
        ("postgresql://ropo:pass@db.example:5433/store", EVERYTHING),
        (json.dumps(FIELDS), EVERYTHING),
        (" " + json.dumps(FIELDS | {"port": "5433", "extra": ""}), EVERYTHING),
        ("postgres://ropo@db.example/store", {"user": "ropo", "host": "db.example", "dbname": "store"}),
        ("postgres://r%40po:p%2Fa%3As%23s%20w@db.example/st%20ore", {
            "user": "r@po", "password": "p/a:s#s w", "host": "db.example", "dbname": "st ore",
        }),
        ("postgres://ropo@[::1]:5433/store", {"user": "ropo", "host": "::1", "port": "5433", "dbname": "store"}),
        ("postgres://ropo@%2Fvar%2FRun%2Fpg:5433/store", {
            "user": "ropo", "host": "/var/Run/pg", "port": "5433", "dbname": "store",
        }),
        ('{"conn_type": "postgres", "host": "/var/run/pg", "schema": "s"}', {"host": "/var/run/pg", "dbname": "s"}),
        ("postgres://db.example/store?sslmode=verify-full&sslrootcert=%2Fca.pem", {
            "host": "db.example", "dbname": "store", "sslmode": "verify-full", "sslrootcert": "/ca.pem",
        }),
        ('postgres://db.example/store?__extra__={"sslmode": "require"}', {
            "host": "db.example", "dbname": "store", "sslmode": "require",
        }),
        ('{"conn_type": "postgres", "host": "h", "extra": {"sslmode": "require", "cursor": "dictcursor"}}', {
            "host": "h", "sslmode": "require",
        }),
        ('{"conn_type": "postgres", "host": "h", "extra": "{\\"sslmode\\": \\"require\\"}"}', {
            "host": "h", "sslmode": "require",
        }),
        ('{"conn_type": "postgres", "host": "h", "extra": null}', {"host": "h"}),
        (json.dumps({"conn_type": "postgres", "host": "h1,h2", "extra": {
            "target_session_attrs": "read-write", "channel_binding": "require", "gssencmode": "disable",
            "options": "-c statement_timeout=5min", "hostaddr": "10.0.0.1,10.0.0.2",
        }}), {
            "host": "h1,h2", "target_session_attrs": "read-write", "channel_binding": "require",
            "gssencmode": "disable", "options": "-c statement_timeout=5min", "hostaddr": "10.0.0.1,10.0.0.2",
        }),
        # What the connection's own fields say, what Airflow's hook has for itself, and what nobody knows.
        (json.dumps(FIELDS | {"extra": {
            "host": "x", "port": 1, "user": "x", "password": "x", "dbname": "x", "database": "x", "iam": True,
            "cursor": "dictcursor", "aws_conn_id": "x", "sqlalchemy_query": {"a": "b"}, "x y=z": 1, "": 1,
        }}), EVERYTHING),
    ],
)  # fmt: skip
def test_airflows_forms_of_a_connection_are_read(value: str, expected: dict[str, str]) -> None:
    assert parse_dsn(dsn_from_airflow(value)) == expected


PASSWORD = "s3cret/secr3t"


@pytest.mark.parametrize(
    "value",
    [
        f"postgres://ropo:{PASSWORD}@db.example/store",
        f"postgres://ropo:[{PASSWORD}@db.example/store",
        f"postgres://ropo:{PASSWORD}@db.example:port/store",
        f"mysql://ropo:{PASSWORD}@db.example/store",
        f'{{"conn_type": "mysql", "password": "{PASSWORD}"}}',
        f'{{"conn_type": "postgres", "password": "{PASSWORD}"',
        f'{{"conn_type": "postgres", "password": "{PASSWORD}", "extra": "{{"}}',
        f'{{"conn_type": "postgres", "password": "{PASSWORD}", "extra": "[1]"}}',
        f'{{"conn_type": "postgres", "password": "{PASSWORD}", "extra": 7}}',
        f'{{"conn_type": "postgres", "password": "{PASSWORD}", "extra": {{"sslfoo": 1}}}}',
        f"{PASSWORD}",
        "{}",
    ],
)
def test_what_is_no_connection_is_an_error_that_keeps_the_password(value: str) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        dsn_from_airflow(value)

    for piece in ("s3cret", "secr3t"):
        assert piece not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_connection_of_another_type_is_named() -> None:
    with pytest.raises(StoreUnavailableError, match="expected a connection of type postgres, got 'mysql'"):
        dsn_from_airflow("mysql://db.example/store")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_password_comes_through(password: str) -> None:
    assert parse_dsn(make_dsn(host="h", password=password)) == {"host": "h", "password": password}


def test_a_setting_of_libpq_reaches_the_session(postgres: embedded.Server, store_name: str) -> None:
    connection = {**postgres.airflow_connection(store_name), "extra": {"options": "-c work_mem=13MB"}}

    with closing(connect(dsn_from_airflow(json.dumps(connection)))) as session:
        assert query(session, "SHOW work_mem") == [("13MB",)]


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps({"conn_type": "postgres", "host": "h", "schema": "store"}))

    assert parse_dsn(store_dsn_from_environment()) == {"host": "h", "dbname": "store"}


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE", raising=False)
    if value is not None:
        monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", value)

    with pytest.raises(StoreUnavailableError, match="AIRFLOW_CONN_ROPO_STORE is not set"):
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
        found = dict(query(connection, "SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", (list(wanted),)))
        parameters = connection.info.dsn_parameters

        assert found == wanted
        assert not connection.autocommit
        assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("30", "120000")


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
