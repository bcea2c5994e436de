"""In a real Airflow a date's task that found the ledger away is tried again, and one that is refused a token is not."""

from __future__ import annotations

import datetime
import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from include.simulator.ropo import DEFAULT_CID, Ropo
from include.simulator.server import SimulatorServer
from local_airflow.waiting import until
from tests.include.reconciliation.world import LEDGER
from tests.integration.airflow.driving import ask, driving, variables

if TYPE_CHECKING:
    from local_airflow.embedded import Server

pytestmark = pytest.mark.timeout(600)

DATE = datetime.datetime.now(ZoneInfo("Europe/Helsinki")).date() - datetime.timedelta(days=1)
# No verdict turns a run red, so that only a failure does.
PROFILES = "profiles: [{name: default, start_date: 2020-01-01, settle_hours: 0, fail_on: []}]\n"
WAITING = "SELECT task_id FROM task_instance WHERE state = 'up_for_retry'"
SECONDS_BETWEEN_TRIES = 5


class Runs:
    """What came of them, as the driver answers, and the tasks that waited for another try."""

    def __init__(self) -> None:
        self.away: dict[str, Any] = {}
        self.refused: dict[str, Any] = {}
        self.shown: dict[str, Any] = {}
        self.waited: list[tuple[Any, ...]] = []
        self.log = ""


@pytest.fixture(scope="module")
def runs(
    postgres: Server, metadata_template: str, store_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Runs:
    """Both in one Airflow: it takes its time to start."""
    home = tmp_path_factory.mktemp("airflow")
    store, ledger = postgres.fresh_database("store", template=store_template), postgres.fresh_database("ledger")
    with closing(psycopg2.connect(postgres.dsn(ledger))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    runs = Runs()
    with SimulatorServer(Ropo()) as server:
        given = variables(postgres, metadata_template, store, ledger, home, server.url, profiles=PROFILES)
        given["AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"] = str(SECONDS_BETWEEN_TRIES)
        metadata = given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
        wrong = {"conn_type": "ropo_one", "host": server.url, "login": DEFAULT_CID, "password": "wrong"}
        refused = given | {"AIRFLOW_CONN_ROPO_ONE_DEFAULT": json.dumps(wrong)}
        order = {"dag_id": "ropo_reconciliation", "conf": {"date": str(DATE)}}
        _let_in(postgres, ledger, allowed=False)
        mender = threading.Thread(target=_mend_between_tries, args=(postgres, ledger, metadata, runs))
        mender.start()
        with (home / "driver.log").open("w") as log:
            with driving(given, log) as driver:
                runs.away = ask(driver, order)
            mender.join()
            with driving(refused, log) as driver:
                runs.refused = ask(driver, order)
                runs.shown = ask(driver, {"dag_id": "ropo_invoice_check", "conf": {"billnum": "1"}})
        runs.log = (home / "driver.log").read_text()
    return runs


def _let_in(postgres: Server, database: str, *, allowed: bool) -> None:
    with closing(psycopg2.connect(postgres.dsn("postgres"))) as connection:
        connection.autocommit = True
        connection.cursor().execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS {str(allowed).lower()}')


def _mend_between_tries(postgres: Server, ledger: str, metadata: str, runs: Runs) -> None:
    try:
        runs.waited = until(lambda: _rows(metadata, WAITING), seconds=300.0, every=0.2)
    finally:
        _let_in(postgres, ledger, allowed=True)


def _rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_a_ledger_that_was_away_for_a_moment_turns_no_date_red(runs: Runs) -> None:
    assert runs.away["state"] == "success", runs.log[-5000:]
    assert runs.waited == [("profile.compare",)]


def test_a_token_that_is_refused_turns_it_red_at_the_first_try(runs: Runs) -> None:
    assert (runs.refused["state"], runs.refused["tasks"]["profile.reread"]) == ("failed", "failed")
    # `DAG.test` counts no tries: Airflow's log says which waited for another, and there is the first run's alone.
    assert runs.log.count("new_state=up_for_retry") == len(runs.waited)


def test_an_invoice_is_shown_though_ropo_one_cannot_be_asked_about_it(runs: Runs) -> None:
    assert runs.shown["tasks"] == {"ask": "failed", "show": "success", "outcome": "upstream_failed"}
    assert runs.shown["state"] == "failed"
