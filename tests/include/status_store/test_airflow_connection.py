"""What an Airflow connection of a PostgreSQL says, in each of Airflow's forms, is what libpq is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn

from include.status_store.airflow_connection import (
    ConnectionInvalidError,
    dsn_from_airflow,
    dsn_from_environment,
    make_dsn,
)

VARIABLE = "AIRFLOW_CONN_ERP_LEDGER"
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
    assert parse_dsn(dsn_from_airflow(value, VARIABLE)) == expected


PASSWORD = "s3cret/secr3t"


@pytest.mark.parametrize(
    "value",
    [
        f"postgres://ropo:{PASSWORD}@db.example/store",
        f"postgres://ropo:[{PASSWORD}@db.example/store",
        "postgres://ropo:s3@cret#secr3t@db.example/store",
        "postgres://ropo:s3@cret/secr3t@db.example/store",
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
    with pytest.raises(ConnectionInvalidError) as caught:
        dsn_from_airflow(value, VARIABLE)

    for piece in ("s3cret", "secr3t"):
        assert piece not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "setting", ["sslfoo", "SSLMODE", "Sslmode", " sslmode", "ssl-mode", "useSSL", "sslmode=x host"]
)
def test_a_misspelt_setting_of_tls_is_refused_and_named(setting: str) -> None:
    with pytest.raises(ConnectionInvalidError, match=f"^{VARIABLE}: its extra holds '{setting}', which libpq does not"):
        dsn_from_airflow(json.dumps(FIELDS | {"extra": {setting: "verify-full"}}), VARIABLE)


def test_a_misspelt_setting_of_tls_in_a_uri_is_refused_too() -> None:
    with pytest.raises(ConnectionInvalidError, match=r"its extra holds 'SSLMODE', which libpq does not know"):
        dsn_from_airflow("postgres://db.example/store?SSLMODE=verify-full", VARIABLE)


@pytest.mark.parametrize(
    "host",
    [
        "ropo:s3cret@db",
        "postgres://ropo:s3cret@db",
        "db:s3cret",
        "db/s3cret",
        "db?password=s3cret",
        "db s3cret",
        "/@s3cret",
    ],
)
def test_a_host_that_holds_more_is_refused_and_not_repeated(host: str) -> None:
    with pytest.raises(ConnectionInvalidError, match=r"^The store: host: expected the name or address") as caught:
        make_dsn(host=host, named="The store")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "db",
        "db_1.example.",
        "127.0.0.1",
        "::1",
        "fe80::1%eth0",
        "/var/run/postgresql",
        "one,two.example",
        "bücher.example",
    ],
)
def test_a_host_is_a_name_an_address_or_a_folder(host: str) -> None:
    assert parse_dsn(make_dsn(host=host)) == {"host": host}


def test_a_connection_of_another_type_is_named() -> None:
    with pytest.raises(
        ConnectionInvalidError, match=f"{VARIABLE}: expected a connection of type postgres, got 'mysql'"
    ):
        dsn_from_airflow("mysql://db.example/store", VARIABLE)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_password_comes_through(password: str) -> None:
    assert parse_dsn(make_dsn(host="h", password=password)) == {"host": "h", "password": password}


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named_with_what_it_is_for(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)

    with pytest.raises(ConnectionInvalidError, match=f"{VARIABLE} is not set; it names the ledger of profile fi"):
        dsn_from_environment(VARIABLE, "the ledger of profile fi")


@pytest.mark.parametrize(
    ("unknown", "told"),
    [
        ({"database": "ropo"}, "unknown field 'database' (its name is 'schema'); "),
        (
            {"user": "ropo", "dbname": "x"},
            "unknown fields 'user' (its name is 'login'), 'dbname' (its name is 'schema'); ",
        ),
        ({"conn_id": "ropo_store"}, "unknown field 'conn_id'; a connection has conn_type, "),
    ],
)
def test_a_field_that_airflow_does_not_know_is_refused_by_name(unknown: dict[str, str], told: str) -> None:
    with pytest.raises(ConnectionInvalidError) as caught:
        dsn_from_airflow(json.dumps(FIELDS | {"description": "ours", "password": PASSWORD} | unknown), VARIABLE)
    assert str(caught.value).startswith(f"{VARIABLE}: {told}")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        json.dumps({name: value for name, value in FIELDS.items() if name != "schema"}),
        json.dumps(FIELDS | {"schema": ""}),
        "postgres://ropo:pass@db.example",
    ],
)
def test_no_database_is_chosen_by_the_name_of_the_role(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConnectionInvalidError, match=f"^{VARIABLE}: schema is empty: expected the name of the databas"):
        dsn_from_environment(VARIABLE, "the ledger")


@pytest.mark.parametrize("value", [json.dumps(FIELDS | {"login": None}), "postgres://db.example/store"])
def test_no_role_is_chosen_by_the_name_of_the_process_user(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(ConnectionInvalidError, match=f"^{VARIABLE}: login is empty: expected the name of the role"):
        dsn_from_environment(VARIABLE, "the ledger")


def test_libpqs_own_file_of_services_may_name_database_and_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "postgres", "extra": {"service": "books"}}))
    assert parse_dsn(dsn_from_environment(VARIABLE, "the ledger")) == {"service": "books"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (
            f'{{"conn_type": "postgres",\n "password": "{PASSWORD}"',
            "it is no valid JSON: Expecting ',' delimiter, in line 2, column 29",
        ),
        (
            json.dumps(FIELDS | {"password": PASSWORD, "extra": "sslmode=require"}),
            "Extra (extra): expected a JSON object",
        ),
        (json.dumps(FIELDS | {"password": PASSWORD, "port": "five"}), "port: expected a number"),
    ],
)
def test_what_is_wrong_with_json_is_said(value: str, told: str) -> None:
    with pytest.raises(ConnectionInvalidError) as caught:
        dsn_from_airflow(value, VARIABLE)
    assert str(caught.value) == f"{VARIABLE}: {told}"
