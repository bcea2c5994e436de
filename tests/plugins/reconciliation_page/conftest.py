"""The page over a real store. Who may do what is tested with Airflow's own auth managers, in `test_page_access.py`."""

from __future__ import annotations

import datetime
import json
import re
import threading
from contextlib import closing, contextmanager
from http.client import INTERNAL_SERVER_ERROR
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest
import uvicorn
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.config.profiles import Profile
from local_airflow.cluster import SUPERUSER
from reconciliation_page import PREFIX
from reconciliation_page.access import may_change, may_read
from reconciliation_page.app import page_app as app_of_this_process
from tests.include.reconciliation.world import LEDGER, World
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    from psycopg2.extensions import connection as Connection

    from local_airflow.embedded import Server

USER = "ada"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an app over HTTP; its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def listed(page: str) -> list[str]:
    """The invoices of a page's list, in its order."""
    return re.findall(r"invoice\?[^\"]*key=b%3A([^\"&]+)", page)


def words_of(page: str, pattern: str) -> str:
    """The words of the pieces of a page that a pattern finds, without its markup."""
    return " ".join(re.sub("<[^>]+>", " ", " ".join(re.findall(pattern, page, re.DOTALL))).split())


@pytest.fixture
def store_connection(monkeypatch: pytest.MonkeyPatch, postgres: Server, store_name: str) -> str:
    """The connection `ropo_store`, leading to the test's store; the store's name."""
    monkeypatch.delenv("ROPO_PROFILES_FILE", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(postgres.airflow_connection(store_name, SUPERUSER)))
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE_READER", raising=False)
    return store_name


@pytest.fixture
def world(postgres: Server, store_connection: str) -> World:
    """What Ropo One and the ERP say, in the store that the page shows."""
    ledger = postgres.dsn(postgres.fresh_database("ledger"))
    with closing(psycopg2.connect(ledger)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    return World(postgres.dsn(store_connection), ledger, Profile(name="default"))


@pytest.fixture
def two_profiles(store_connection: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Profiles ``default`` and ``other``."""
    shipped = Path("include/config").resolve()
    text = "profiles:\n" + "".join(
        f"  - name: {name}\n    connection: ropo_one_{name}\n    status_map: {shipped / 'status_map.yaml'}\n"
        f"    ledger: {{connection: erp_{name}, query: {shipped.parent / 'erp' / 'generic.sql'}}}\n"
        for name in ("default", "other")
    )
    (tmp_path / "profiles.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(tmp_path / "profiles.yaml"))


@pytest.fixture
def page_app() -> Iterator[FastAPI]:
    """The page's app with a user who may do everything; tests take rights away by overriding the dependencies."""
    app = app_of_this_process()
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=USER, role="ADMIN")
    app.dependency_overrides[may_read] = lambda: True
    app.dependency_overrides[may_change] = lambda: True
    yield app
    app.dependency_overrides.clear()


@pytest.fixture
def client(page_app: FastAPI, store_connection: str) -> Iterator[TestClient]:
    """A browser's requests to the page, mounted as Airflow mounts it. A page that failed lacks any words."""
    server = FastAPI()
    server.mount(PREFIX, page_app)
    with TestClient(server, base_url="http://airflow/", follow_redirects=False) as client:
        client.event_hooks["response"].append(_did_not_fail)
        yield client


def _did_not_fail(response: httpx.Response) -> None:
    assert response.status_code != INTERNAL_SERVER_ERROR, response.url


@pytest.fixture
def ids(store: Connection) -> dict[str, int]:
    """Breaks by the key of their invoice: three open, one accepted, one resolved."""
    number = record(store, datetime.date(2026, 11, 20), "breaks", breaks=(broken("1", "5.00"),))
    older = record(store, datetime.date(2026, 1, 5), "breaks", breaks=(broken("3", "7.00"),))
    keep_break(store, number, "b:1", "ledger_behind", "open", "5.00")
    keep_break(store, number, "b:2", "missing_in_ledger", "open", "2000.00")
    keep_break(store, older, "b:3", "ledger_behind", "open", "7.00")
    keep_break(store, number, "b:4", "ledger_behind", "accepted", "8.00")
    keep_break(store, number, "b:5", "ledger_behind", "resolved", "9.00")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3), reason = NULL")
        cursor.execute("SELECT invoice_key, break_id FROM ropo.reconciliation_break")
        return dict(cursor.fetchall())


# February, and the moment when it is over.
DATES = [datetime.date(2026, 2, day) for day in range(1, 29)]
AFTER = datetime.datetime(2026, 3, 1, 2, tzinfo=datetime.UTC)


@pytest.fixture
def month(store: Connection) -> None:
    """February: every date compared, two breaks of the 3rd, the 4th incomplete, a full comparison at the end."""
    for date in DATES:
        if date.day == 3:
            number = record(store, date, "breaks", breaks=(broken("1", "5.00"), broken("2", "6.00")))
            keep_break(store, number, "b:1", "ledger_behind", "open", "5.00")
            keep_break(store, number, "b:2", "ledger_behind", "open", "6.00")
        else:
            record(store, date, "incomplete" if date.day == 4 else "reconciled", reasons=("doubt",) * (date.day == 4))
    record(store, DATES[-1], scope="full", started_at=AFTER)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation SET view_at = started_at")
        cursor.execute(
            "UPDATE ropo.reconciliation_break "
            "SET evidence = jsonb_build_object('currency', currency, 'ropo_paid', amount::text)"
        )
