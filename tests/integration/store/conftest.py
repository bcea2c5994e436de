"""Ropo One's stand-in over real HTTP, the real hook, and a store of the test's own."""

from __future__ import annotations

import datetime
import json
import multiprocessing
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from include.simulator import effects, ropo
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.rows import bulk_rows
from include.simulator.server import SimulatorServer
from tests.integration.store.driver import Job

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext

    from psycopg2.extensions import connection as Connection

DAYS = 4
HELD = """
SELECT statusid, jobid, billnum, statustype, statustime::text, statuscode, statusref, statustext,
    paydate::text, amount::text
FROM ropo.status_event ORDER BY statusid
"""


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy stands before the loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(Ropo()) as server:
        yield server


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a page hold so few rows that a short backlog has many pages."""
    for module in (effects, ropo):
        monkeypatch.setattr(module, "PAGE_SIZE", 40)
    return 40


@pytest.fixture
def first_day() -> datetime.date:
    """The first of the days on which rows are dated; the last is yesterday."""
    return datetime.datetime.now(ZoneInfo("Europe/Helsinki")).date() - datetime.timedelta(days=DAYS)


@pytest.fixture
def job(server: SimulatorServer, store_dsn: str, first_day: datetime.date, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Which store and which Ropo One; the hook of this process finds the connection too."""
    connection = {"conn_type": "ropo_one", "host": server.url, "login": DEFAULT_CID, "password": DEFAULT_APICODE}
    environment = {
        "AIRFLOW_CONN_ROPO_ONE_DEFAULT": json.dumps(connection | {"extra": {"read_timeout": 2}}),
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Job(store_dsn, environment, first_day)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Makes processes that have the hook imported already: that takes seconds, and a test kills dozens of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.store.driver"])
    return context


def rows(count: int, first_day: datetime.date) -> list[dict[str, Any]]:
    """Valid rows, spread over the days before today."""
    return bulk_rows(count, first_day=first_day, days=DAYS)


def held(store: Connection) -> list[tuple[Any, ...]]:
    """Every event, as its ten fields."""
    with store.cursor() as cursor:
        cursor.execute(HELD)
        return cursor.fetchall()


def expected(handed_out: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What the store must hold of these rows."""
    return sorted(
        {
            (
                str(row["statusid"]), str(row["jobid"]), str(row["billnum"]), row["statustype"], row["statustime"],
                row["statuscode"], row["statusref"], row["statustext"], row["paydate"] or None, row["amount"] or None,
            )
            for row in handed_out
        }
    )  # fmt: skip


def accounted_for(store: Connection) -> bool:
    """Whether every event was counted as new by exactly one poll, and none had other content."""
    with store.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(new_count), 0) FROM ropo.status_poll) "
            "= (SELECT count(*) FROM ropo.status_event) AND NOT EXISTS (SELECT FROM ropo.status_event_revision)"
        )
        return cursor.fetchone() == (True,)
