"""No page reads a large table from end to end: EXPLAIN of every statement of a request, on a store that is full."""

from __future__ import annotations

import datetime
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extensions
import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.status_store.database import connect
from reconciliation_page import PREFIX
from reconciliation_page.access import may_change, may_read
from reconciliation_page.app import create_app
from reconciliation_page.checking import may_check
from reconciliation_page.stores import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.embedded import Server

LARGE = {
    "status_event",
    "status_event_revision",
    "status_page",
    "reconciliation_item",
    "reconciliation_break",
    "reconciliation_break_event",
}
COUNTED = "reconciliation_break"
YESTERDAY = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
PAGES = (
    "",
    f"dates/{YESTERDAY}",
    f"dates/{YESTERDAY}?state=break&order=category",
    f"dates/{YESTERDAY}?state=matched",
    "breaks",
    "breaks?state=accepted&category=missing_in_ledger",
    "breaks?state=open&order=amount",
    f"breaks?first_from={YESTERDAY}",
    "breaks?shown_by=1",
    "breaks/10",
    f"sign-off/{YESTERDAY:%Y-%m}",
    "polls",
    "profiles",
    "polls?kind=date&below=500",
    "invoices?find=17",
    "invoices?find=J17",
    "invoice?key=b:17",
    "invoice?key=j:J17",
)


class Plans:
    """The plans of a request's statements."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def scanned(self) -> set[str]:
        """Which tables were read from end to end; that a profile's breaks are counted by state counts not."""
        return {
            table for plan in self.found for table, is_counted in _scans(plan) if table != COUNTED or not is_counted
        }

    def reading(self, dsn: str) -> Iterator[psycopg2.extensions.cursor]:
        """Give a request a cursor that explains each statement before it runs it."""
        plans = self

        class Explaining(psycopg2.extensions.cursor):
            def execute(self, query: Any, parameters: Any = None) -> None:
                text = query if isinstance(query, str) else query.as_string(self)
                super().execute(f"EXPLAIN (FORMAT JSON) {text}", parameters)
                [(explained,)] = self.fetchall()
                plans.found.append(explained[0]["Plan"])
                super().execute(query, parameters)

        with closing(connect(dsn)) as connection, connection.cursor(cursor_factory=Explaining) as cursor:
            yield cursor


def _scans(plan: dict[str, Any], *, is_counted: bool = False) -> Iterator[tuple[str, bool]]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"], is_counted
    for part in plan.get("Plans", ()):
        yield from _scans(part, is_counted=is_counted or plan["Node Type"] == "Aggregate")


@pytest.fixture(scope="module")
def full_store(postgres: Server, store_template: str) -> str:
    """A store with tens of thousands of invoices; where it is."""
    dsn = postgres.dsn(postgres.fresh_database("full", template=store_template))
    statements = Path(__file__).with_name("full_store.sql").read_text(encoding="utf-8")
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statements)
    return dsn


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_no_large_table_from_end_to_end(
    full_store: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROPO_PROFILES_FILE", raising=False)
    plans = Plans()
    app = create_app()
    app.dependency_overrides |= {
        get_user: lambda: SimpleAuthManagerUser(username="ada", role="ADMIN"),
        may_read: lambda: True,
        may_change: lambda: True,
        may_check: lambda: True,
    }

    def explained() -> Iterator[psycopg2.extensions.cursor]:
        yield from plans.reading(full_store)

    app.dependency_overrides[reading] = explained
    server = FastAPI()
    server.mount(PREFIX, app)
    with TestClient(server, base_url="http://airflow/", follow_redirects=False) as client:
        answer = client.get(f"{PREFIX}/{path}")
    assert answer.status_code in (200, 303), answer.text
    assert plans.found
    assert plans.scanned() & LARGE == set()
