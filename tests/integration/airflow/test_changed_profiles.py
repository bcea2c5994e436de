"""What becomes of a run that people have their hands on: in a real Airflow, all its parts.

Its tasks keep their profiles when the profiles file has changed since, and what they did counts where they did it.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.server import SimulatorServer
from local_airflow import environment
from local_airflow.api import AirflowApi
from local_airflow.cluster import free_port
from local_airflow.serving import admin_password, serving
from local_airflow.waiting import until
from tests.include.reconciliation.world import LEDGER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.embedded import Server

DAG = "ropo_reconciliation"
DATE = "2026-03-02"
CODE = "code-of-the-second"
SECONDS = 280.0
pytestmark = pytest.mark.timeout(900)


class Airflow:
    """One run of two profiles, *default* and *beta*, whose file is changed and whose tasks are cleared."""

    def __init__(self, variables: dict[str, str], port: int, metadata: str, store: str) -> None:
        self._profiles = variables["ROPO_PROFILES_FILE"]
        self._metadata, self._store = metadata, store
        self._url = f"http://127.0.0.1:{port}"
        self.run_id = ""

    def log_in(self, password: str) -> None:
        """Let it ask the API."""
        self._api = AirflowApi(self._url, password)

    def profiles(self, *names: str) -> None:
        """Write the file: no verdict turns a run red, so that only a failure does."""
        common = "start_date: 2026-01-01, fail_on: []"
        lines = [f"  - {{name: {name}, connection: ropo_one_{name}, {common}}}\n" for name in names]
        Path(self._profiles).write_text("profiles:\n" + "".join(lines), encoding="utf-8")

    def trigger(self, date: str = DATE, logical_date: str | None = None) -> str:
        """Make the run and wait for its end; return its state."""
        until(lambda: self._api.find(f"/dags/{DAG}"), seconds=SECONDS, every=0.5)
        run = self._api.ask("POST", f"/dags/{DAG}/dagRuns", {"logical_date": logical_date, "conf": {"date": date}})
        self.run_id = run["dag_run_id"]
        self._api.ask("PATCH", f"/dags/{DAG}", {"is_paused": False})
        return self._ended()

    def clear(self, *tasks: tuple[str, int], **how: object) -> str:
        """Clear tasks of the run, all of them where none is named, and wait for its end; return its state."""
        self._clear(*tasks, **how)
        return self._ended()

    def clear_and_end(self, task: str, pool: str, state: str) -> str:
        """Clear the first profile's task and what comes after it, and give it its state before its process begins.

        :return: the run's state.
        """
        slots = self._api.ask("GET", f"/pools/{pool}")["slots"]
        self._give(pool, 0)
        self._clear((task, 0), include_downstream=True)
        until(lambda: self.states()[task, 0][0] == "scheduled", seconds=SECONDS, every=0.5)
        marked = f"/dags/{DAG}/dagRuns/{self.run_id}/taskInstances/profile.{task}/0"
        self._api.ask("PATCH", marked, {"new_state": state})
        self._give(pool, slots)
        return self._ended()

    def states(self) -> dict[tuple[str, int], tuple[str, str | None, bool]]:
        """State, profile as the UI names it, and whether a process was started, by task and map index."""
        rows = self._ask(
            self._metadata,
            "SELECT task_id, map_index, state, rendered_map_index, pid IS NOT NULL FROM task_instance "
            "WHERE run_id = %s",
            self.run_id,
        )
        return {(task.removeprefix("profile."), index): tuple(rest) for task, index, *rest in rows}

    def recorded(self) -> list[tuple[str, str | None]]:
        """Each reconciliation's profile and that of the re-read that it was made with, in order."""
        return self._ask(
            self._store,
            "SELECT r.profile, p.profile FROM ropo.reconciliation r LEFT JOIN ropo.status_poll p "
            "ON p.poll_id = r.reread_poll_id WHERE r.run_id = %s ORDER BY reconciliation_id",
            self.run_id,
        )

    def log_of(self, task: str, index: int, attempt: int) -> str:
        """The log of a task's attempt."""
        task_id = task if index < 0 else f"profile.{task}"
        tried = f"/dags/{DAG}/dagRuns/{self.run_id}/taskInstances/{task_id}/logs/{attempt}?map_index={index}"
        return json.dumps(self._api.ask("GET", tried))

    def _clear(self, *tasks: tuple[str, int], **how: object) -> None:
        named = {"task_ids": [[f"profile.{name}", index] for name, index in tasks]} if tasks else {}
        body = {"dry_run": False, "dag_run_id": self.run_id, "only_failed": False, **named, **how}
        self._api.ask("POST", f"/dags/{DAG}/clearTaskInstances", body)

    def _give(self, pool: str, slots: int) -> None:
        body = {"pool": pool, "slots": slots, "include_deferred": False}
        self._api.ask("PATCH", f"/pools/{pool}?update_mask=slots", body)

    def _ended(self) -> str:
        def state() -> str | None:
            found = self._api.ask("GET", f"/dags/{DAG}/dagRuns/{self.run_id}")["state"]
            return found if found in ("success", "failed") else None

        return until(state, seconds=SECONDS, every=0.5)

    def _ask(self, dsn: str, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()


@pytest.fixture(scope="module")
def airflow(
    postgres: Server, metadata_template: str, store_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Airflow]:
    """It takes its time to start."""
    home = tmp_path_factory.mktemp("airflow")
    store = postgres.fresh_database("store", template=store_template)
    ledger = postgres.fresh_database("ledger")
    metadata = postgres.fresh_database("metadata", template=metadata_template)
    with closing(psycopg2.connect(postgres.dsn(ledger))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    with SimulatorServer(Ropo()) as ropo:
        ropo.ropo.add_customer("2000002", CODE)
        given = {
            environment.METADATA_VARIABLE: postgres.dsn(metadata, driver="psycopg2"),
            "AIRFLOW_CONN_ROPO_STORE": json.dumps(postgres.airflow_connection(store)),
            "AIRFLOW_CONN_ERP_LEDGER": json.dumps(postgres.airflow_connection(ledger)),
            "AIRFLOW_CONN_ROPO_ONE_DEFAULT": _connection(ropo.url, DEFAULT_CID, DEFAULT_APICODE),
            "AIRFLOW_CONN_ROPO_ONE_BETA": _connection(ropo.url, "2000002", CODE),
            "ROPO_PROFILES_FILE": str(home / "profiles.yaml"),
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "NO_PROXY": "127.0.0.1,localhost",
        }
        variables = environment.project_environment(given, home)
        port = free_port()
        made = Airflow(variables, port, postgres.dsn(metadata), postgres.dsn(store))
        made.profiles("default", "beta")
        password = admin_password(home)
        with serving(variables, home, port):
            made.log_in(password)
            assert made.trigger() == "success", made.states()
            yield made


def _connection(url: str, cid: str, apicode: str) -> str:
    return json.dumps({"conn_type": "ropo_one", "host": url, "login": cid, "password": apicode})


def test_each_profile_of_the_file_has_its_tasks(airflow: Airflow) -> None:
    assert sorted(airflow.recorded()) == [("beta", "beta"), ("default", "default")]
    states = airflow.states()
    assert {states["compare", index][1] for index in (0, 1)} == {"default", "beta"}


def test_nothing_is_started_that_a_run_by_hand_does_not_need(airflow: Airflow) -> None:
    states = airflow.states()
    not_begun = {task: state for (task, _), (state, _, begun) in states.items() if not begun}
    skipped = dict.fromkeys(("settle", "reread_earlier", "recheck"), "skipped")
    assert not_begun == {**skipped, "outcome": "success"}


def test_a_task_that_is_cleared_when_the_file_has_another_order_works_on_its_own_profile(airflow: Airflow) -> None:
    before = len(airflow.recorded())
    airflow.profiles("beta", "default")

    assert airflow.clear(("compare", 0), include_downstream=True) == "success"

    assert airflow.recorded()[before:] == [("default", "default")]
    assert airflow.states()["verdict", 0][1] == "default"


def test_it_does_so_where_the_list_of_profiles_alone_was_cleared_before(airflow: Airflow) -> None:
    before = len(airflow.recorded())

    assert airflow.clear(task_ids=["profiles"]) == "success"
    assert airflow.clear(("compare", 0), include_downstream=True) == "success"

    assert airflow.recorded()[before:] == [("default", "default")]
    assert airflow.states()["verdict", 0][1] == "default"


def test_a_date_is_not_compared_on_the_reread_of_before_where_the_new_one_ended_in_the_queue(airflow: Airflow) -> None:
    before = len(airflow.recorded())

    assert airflow.clear_and_end("reread", "ropo_one", "failed") == "failed"

    assert airflow.recorded()[before:] == [("default", None)]


def test_a_comparison_that_was_skipped_by_hand_makes_no_run_green(airflow: Airflow) -> None:
    before = len(airflow.recorded())

    assert airflow.clear_and_end("compare", "erp_ledger", "skipped") == "failed"

    assert airflow.states()["verdict", 0][0] == "failed"
    assert len(airflow.recorded()) == before


def test_one_whose_profile_is_gone_fails_and_says_so(airflow: Airflow) -> None:
    before = len(airflow.recorded())
    airflow.profiles("beta")

    assert airflow.clear(("verdict", 0)) == "failed"

    assert "profile 'default': is not in the file (any more); the file has: beta" in airflow.log_of("verdict", 0, 6)
    assert len(airflow.recorded()) == before


def test_a_run_that_is_cleared_whole_refuses_a_file_with_more_profiles_than_it_began_with(airflow: Airflow) -> None:
    """Airflow would start the tasks that it adds before what they come after."""
    before = len(airflow.recorded())
    airflow.profiles("beta", "default", "another")

    assert airflow.clear() == "failed"

    assert "has 3 profiles for its date now, which are more than it began with" in airflow.log_of("profiles", -1, 3)
    assert len(airflow.recorded()) == before


def test_a_run_that_is_cleared_whole_takes_the_new_file(airflow: Airflow) -> None:
    before = len(airflow.recorded())
    airflow.profiles("beta")

    assert airflow.clear() == "success"

    assert airflow.recorded()[before:] == [("beta", "beta")]
    states = airflow.states()
    assert (states["verdict", 0][:2], states["verdict", 1][0]) == (("success", "beta"), "removed")


def test_a_run_whose_logical_date_lies_long_ago_has_its_tasks(airflow: Airflow) -> None:
    assert airflow.trigger(logical_date="2019-03-02T00:00:00Z") == "success"

    assert airflow.states()["verdict", 0][0] == "success"
    assert airflow.recorded() == [("beta", "beta")]


def test_a_run_of_a_date_that_is_not_over_asks_nobody_and_says_why(airflow: Airflow) -> None:
    assert airflow.trigger(date="2099-12-24") == "failed"

    begun = {task for (task, _), (_, _, begun) in airflow.states().items() if begun}
    assert begun == {"profiles"}
    assert "2099-12-24 is not over before 2099-12-25 00:00 EET; run it then" in airflow.log_of("profiles", -1, 1)
