"""A task that waits for PostgreSQL ends by its own time limit, which Airflow alone could not see to."""

from __future__ import annotations

import datetime
import json
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import psycopg2
import pytest

from include.reconciliation.sides import LedgerUnavailableError
from include.status_store.database import StoreUnavailableError
from local_airflow.cluster import SUPERUSER
from ropo_one.operators.polling import RopoStatusDrainOperator
from ropo_one.operators.reconciliation import ReconciliationOperator
from tests.include.reconciliation.world import LEDGER
from tests.plugins.ropo_one.earlier_tasks import task_instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from local_airflow.embedded import Server
    from tests.plugins.ropo_one.conftest import Connect
    from tests.plugins.ropo_one.scripted_server import ScriptedServer

LIMIT = datetime.timedelta(seconds=1)


@contextmanager
def held(dsn: str, table: str) -> Iterator[None]:
    """A table that somebody's forgotten transaction holds."""
    with psycopg2.connect(dsn) as holder, holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    holder.close()


def context() -> Context:
    instance = task_instance({})
    run = SimpleNamespace(partition_key="2026-11-16", run_type="manual")
    return cast("Context", {"ti": instance, "dag_run": run, "params": {}})


def compare() -> ReconciliationOperator:
    return ReconciliationOperator(
        task_id="compare", profile="default", reread_task_id="reread", execution_timeout=LIMIT
    )


@pytest.fixture(autouse=True)
def _connections(server: ScriptedServer, connect: Connect, store_connection: str) -> None:
    connect(host=server.url)


@pytest.fixture
def ledger(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger without rows, by its DSN."""
    name = postgres.fresh_database("ledger")
    with psycopg2.connect(postgres.dsn(name)) as connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    monkeypatch.setenv("AIRFLOW_CONN_ERP_LEDGER", json.dumps(postgres.airflow_connection(name, SUPERUSER)))
    return postgres.dsn(name)


def test_a_drain_that_waits_for_the_store_ends_and_has_asked_for_nothing(
    server: ScriptedServer, store_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    drain = RopoStatusDrainOperator(task_id="drain", profile="default", execution_timeout=LIMIT)
    with held(store_dsn, "ropo.status_poll"), pytest.raises(psycopg2.errors.QueryCanceled):
        drain.execute(context())
    assert server.polls == []
    assert "pg_blocking_pids() and pg_stat_activity name it: end that one" in caplog.text


def test_a_comparison_that_waits_for_the_ledger_ends_and_names_it(ledger: str) -> None:
    told = r"connection erp_ledger\) failed while it was read: canceling statement due to statement timeout"
    with held(ledger, "ropo_ledger"), pytest.raises(LedgerUnavailableError, match=told):
        compare().execute(context())


@pytest.mark.usefixtures("ledger")
def test_a_comparison_that_waits_for_the_store_ends_and_says_what_to_do(store_dsn: str) -> None:
    told = "the store gave a statement up: canceling statement due to statement timeout.*pg_blocking_pids"
    with held(store_dsn, "ropo.status_event"), pytest.raises(StoreUnavailableError, match=told):
        compare().execute(context())


def test_a_task_without_a_limit_waits_for_a_lock_for_ten_minutes_at_most() -> None:
    with (
        RopoStatusDrainOperator(task_id="drain", profile="default").session() as session,
        session.transaction() as cursor,
    ):
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0", "10min")
