"""The role that may only read the store."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store.database import StoreUnavailableError, connect
from include.status_store.reader import READER_VARIABLE, grant_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from demo.embedded import Server

ROLE = "a reader of the tests"


@pytest.fixture
def reader_dsn(postgres: Server, store_name: str, store: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the role reads, once it is made."""
    fields = {**postgres.airflow_connection(store_name, ROLE), "password": postgres.password}
    monkeypatch.setenv(READER_VARIABLE, json.dumps(fields))
    yield postgres.dsn(store_name, ROLE)
    with store.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,))
        if cursor.fetchone() is not None:
            cursor.execute(f'DROP OWNED BY "{ROLE}"')
            cursor.execute(f'DROP ROLE "{ROLE}"')


def test_it_reads_every_table_and_writes_none_whatever_its_session_says(store_dsn: str, reader_dsn: str) -> None:
    for _ in range(2):  # repeatable
        assert grant_reader(store_dsn) == ROLE
    with closing(connect(reader_dsn)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ropo.reconciliation_break")
        cursor.execute("SELECT count(*) FROM ropo.break_today")
        reader.rollback()
        cursor.execute("SHOW default_transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        reader.commit()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("DELETE FROM ropo.status_event")


def test_it_reads_the_tables_of_later_migrations(store_dsn: str, store: Connection, reader_dsn: str) -> None:
    grant_reader(store_dsn)
    with store.cursor() as cursor:
        cursor.execute("CREATE TABLE ropo.later AS SELECT 1 AS one")
    with closing(connect(reader_dsn)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT one FROM ropo.later")
        assert cursor.fetchone() == (1,)


def test_without_its_connection_nothing_is_made(store_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(READER_VARIABLE, raising=False)
    assert grant_reader(store_dsn) is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"conn_type": "postgres", "host": "h"}, "expected a login and a password"),
        ({"conn_type": "http", "host": "h"}, "expected a connection of type postgres"),
    ],
)
def test_a_connection_that_names_no_role_is_refused(
    store_dsn: str, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], told: str
) -> None:
    monkeypatch.setenv(READER_VARIABLE, json.dumps(fields))
    with pytest.raises(StoreUnavailableError, match=f"{READER_VARIABLE}: {told}"):
        grant_reader(store_dsn)


def test_an_owner_who_may_not_make_roles_is_told_what_to_have_run(
    postgres: Server, store: Connection, store_name: str, reader_dsn: str
) -> None:
    with store.cursor() as cursor:
        cursor.execute("GRANT USAGE ON SCHEMA ropo TO ropo_store")
    with pytest.raises(StoreUnavailableError, match=f"may not make the role {ROLE}"):
        grant_reader(postgres.dsn(store_name, "ropo_store"))
