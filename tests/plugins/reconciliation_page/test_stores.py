"""The store as the page meets it: a role without rights, a server that is away, somebody else at work in it."""

from __future__ import annotations

import datetime
import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from include.status_store.database import connect
from local_airflow.cluster import free_port
from reconciliation_page import stores
from tests.include.watch.records import keep_break, record
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

    from local_airflow.embedded import Server

ROLE = "a reader without rights"
DATE = datetime.date(2026, 2, 4)


@pytest.fixture
def reader(
    store_connection: str, postgres: Server, store: Connection, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, object]]:
    """The connection `ropo_store_reader`: a role that may sign in, and was granted nothing."""
    fields: dict[str, object] = {**postgres.airflow_connection(store_connection, ROLE), "password": postgres.password}
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE_READER", json.dumps(fields))
    with store.cursor() as cursor:
        cursor.execute(f'CREATE ROLE "{ROLE}" LOGIN PASSWORD %s', (postgres.password,))
    yield fields
    with store.cursor() as cursor:
        cursor.execute(f'DROP OWNED BY "{ROLE}"')
        cursor.execute(f'DROP ROLE "{ROLE}"')


@pytest.fixture
def held(store: Connection, store_dsn: str) -> Iterator[None]:
    """An open break, and a comparison of its profile that is being recorded at this moment."""
    number = record(store, DATE, "breaks")
    keep_break(store, number, "b:1", "ledger_behind", "open")
    record(store, DATE, "incomplete", reasons=("doubt",))
    with closing(connect(store_dsn)) as other, other.cursor() as cursor:
        cursor.execute("SELECT FROM ropo.break_policy FOR UPDATE")
        yield


@pytest.mark.parametrize(
    "granted",
    ["", "GRANT USAGE ON SCHEMA ropo TO {0}; GRANT SELECT ON ropo.alembic_version TO {0}"],
    ids=["nothing", "the migration alone"],
)
def test_a_role_without_rights_is_told_with_the_command_that_grants_them(
    client: TestClient, store: Connection, reader: dict[str, object], granted: str
) -> None:
    if granted:
        with store.cursor() as cursor:
            cursor.execute(granted.format(f'"{ROLE}"'))
    answer = client.get("/reconciliation/breaks")
    assert answer.status_code == 503
    assert "The role of the connection ropo_store_reader may not read the store" in answer.text
    assert "make migrate" in answer.text


def test_a_reader_whose_server_is_away_is_named_and_not_the_store(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, reader: dict[str, object]
) -> None:
    away = {**reader, "host": "127.0.0.1", "port": free_port()}
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE_READER", json.dumps(away))
    answer = client.get("/reconciliation/")
    assert answer.status_code == 503
    assert "The store (connection ropo_store_reader) cannot be reached" in answer.text
    # The reason alone is PostgreSQL's, and tells a controller nothing to do.
    assert "If it stays so, tell whoever looks after this deployment." in answer.text


@pytest.mark.parametrize(("lock", "statement"), [("50ms", "1min"), ("1min", "50ms")])
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("breaks", {"what": "accept", "seen": "0", "break_id": "1"}),
        ("breaks/1", {"what": "accept", "seen": "0"}),
        ("dates/2026-02-04/incomplete", {"scope": "date", "month": "2026-02", "reconciliation": "2"}),
        ("sign-off/2026-02/sign", {"shown": "x"}),
    ],
)
def test_who_changes_something_while_a_comparison_is_recorded_does_not_wait_for_ever_and_keeps_the_note(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    held: None,
    path: str,
    form: dict[str, str],
    lock: str,
    statement: str,
) -> None:
    monkeypatch.setattr(stores, "LOCK_TIMEOUT", lock)
    monkeypatch.setattr(stores, "CHANGE_TIMEOUT", statement)
    answer = client.post(f"/reconciliation/{path}", data={**form, "note": "the bank's fee"}, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    assert "with a comparison that is being recorded, say, so this was not done" in answer.text
    assert "the bank&#39;s fee</textarea>" in answer.text


def test_where_no_page_tells_it_in_place_a_busy_store_is_a_page_of_its_own(
    client: TestClient, page_app: FastAPI, held: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    @page_app.post("/changing")
    def change() -> None:
        with stores.changing() as session, session.transaction() as cursor:
            cursor.execute("SELECT FROM ropo.break_policy FOR UPDATE")

    monkeypatch.setattr(stores, "LOCK_TIMEOUT", "50ms")
    answer = client.post("/reconciliation/changing")
    assert answer.status_code == 503
    assert "so this was not done. Try again in a minute." in answer.text
