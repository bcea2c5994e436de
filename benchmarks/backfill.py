"""What a date of a backfill costs beyond its work: Airflow's scheduler, and the starts of its tasks.

A whole Airflow (LocalExecutor) runs dates with little to do, of `ropo_reconciliation` and, beside it, of a DAG that has
as many tasks in the same order, which do nothing. What the work alone takes is measured without Airflow.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

from benchmarks.environments import HOME, ROOT
from benchmarks.report import Line
from benchmarks.rounds import Contestant, alternate, run
from local_airflow.api import AirflowApi
from local_airflow.cluster import free_port
from local_airflow.environment import METADATA_VARIABLE, project_environment
from local_airflow.migration import migrate
from local_airflow.serving import admin_password, serving
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.stage import Stage

OURS, SAME_TASKS = "ropo_reconciliation", "same_tasks"
FIRST = datetime.date(2026, 2, 1)
INVOICES = 5
AT_ONCE = 8
_DAY = datetime.timedelta(days=1)
DAGS = (ROOT / "dags" / f"{OURS}.py", Path(__file__).with_name("peers") / "dags" / f"{SAME_TASKS}.py")
_LEDGER = Path(__file__).with_name("backfill_data.sql")
_LONGEST = 3600.0
# Seconds between two looks: Airflow is measured, not its API.
EVERY = 0.5
# Else the run of the schedule, which unpausing brings, would wait for an hour after each midnight.
_PROFILES = f"profiles: [{{name: default, start_date: {FIRST}, settle_hours: 0}}]\n"


def bench(stage: Stage, *, dates: int, rounds: int) -> list[Line]:
    """Run backfills of our DAG and of one that does nothing, in turns.

    :param dates: of each backfill, one a round and DAG.
    """
    print(f"Backfills of {dates} dates, run", flush=True)
    with _airflow(stage, 1 + dates * rounds) as airflow:
        work = airflow.work(dates)
        for dag in (OURS, SAME_TASKS):
            airflow.unpause(dag)
            airflow.backfill(dag, FIRST, 1)  # the first run of a DAG, which nobody pays for again

        begun = {OURS: FIRST + _DAY, SAME_TASKS: FIRST + _DAY}

        def once(each: Contestant) -> dict[str, Any]:
            first = begun[each.name]
            begun[each.name] += dates * _DAY
            seconds = airflow.backfill(each.name, first, dates)
            print(f"  {each.name}: {seconds / dates:.2f} s a date", flush=True)
            return {"seconds": seconds}

        results = alternate([Contestant(OURS, ""), Contestant(SAME_TASKS, "")], once, rounds)
    ours, same = results[OURS], results[SAME_TASKS]
    return [
        Line(
            f"running {dates} dates of a backfill, of {INVOICES} invoices each: scheduler, {AT_ONCE} tasks at once",
            f"{ours.median() / dates:.2f} s a date, of which {work / dates:.2f} s are its work",
            f"a DAG of as many tasks that do nothing: {same.median() / dates:.2f} s a date",
            f"{ours.ratio(same):.2f} of its time",
        )
    ]


class Airflow:
    """A whole Airflow with the two DAGs, asked over its API.

    :param variables: it runs with.
    :param api: of it.
    :param dsn: of the store, which has the ledger too.
    """

    def __init__(self, variables: dict[str, str], api: AirflowApi, dsn: str) -> None:
        self._variables, self._api, self._dsn = variables, api, dsn

    def work(self, dates: int) -> float:
        """Seconds of the work of so many dates, without Airflow; the queue is drained first."""
        contestant = Contestant("the work alone", "our_dates")
        task = {"dsn": self._dsn, "first": str(FIRST), "dates": dates}
        result = run(contestant, task, self._variables)
        if result["verdicts"] != ["reconciled"]:
            raise RuntimeError(f"expected dates that agree, got {result['verdicts']}")
        return float(result["seconds"])

    def unpause(self, dag: str) -> None:
        """Let a DAG run, and the run of its schedule end, which that brings."""
        until(lambda: self._api.find(f"/dags/{dag}"), seconds=300, every=EVERY)
        self._api.ask("PATCH", f"/dags/{dag}", {"is_paused": False})
        until(lambda: self._ended(dag, "scheduled"), seconds=300, every=EVERY)

    def backfill(self, dag: str, first: datetime.date, dates: int) -> float:
        """Seconds from the request for a backfill to the end of its last run."""
        last = first + (dates - 1) * _DAY
        body = {"dag_id": dag, "from_date": f"{first}T00:00:00Z", "to_date": f"{last}T00:00:00Z", "max_active_runs": 10}
        requested = datetime.datetime.now(datetime.UTC)
        made = self._api.ask("POST", "/backfills", body)["id"]
        keys = {str(first + day * _DAY) for day in range(dates)}

        def ended() -> list[dict[str, Any]]:
            runs = self._ended(dag, "backfill")
            return runs if {each["partition_key"] for each in runs} >= keys else []

        until(ended, seconds=_LONGEST, every=EVERY)
        runs = [each for each in self._ended(dag, "backfill") if each["partition_key"] in keys]
        if len(runs) != dates or {each["state"] for each in runs} != {"success"}:
            raise RuntimeError(f"expected {dates} green runs of {dag}, got {runs}")
        ends = (datetime.datetime.fromisoformat(each["end_date"]) for each in runs)
        # Airflow closes one some time after its last run, and takes no other of the DAG before.
        until(lambda: self._is_closed(made), seconds=300, every=EVERY)
        return (max(ends) - requested).total_seconds()

    def _ended(self, dag: str, kind: str) -> list[dict[str, Any]]:
        """The runs of a kind that have ended; none where the newest of them are not yet."""
        query = f"run_type={kind}&limit=100&order_by=-id"
        runs = self._api.ask("GET", f"/dags/{dag}/dagRuns?{query}")["dag_runs"]
        return [each for each in runs if each["end_date"]]

    def _is_closed(self, backfill: int) -> bool:
        return self._api.ask("GET", f"/backfills/{backfill}")["completed_at"] is not None


@contextmanager
def _airflow(stage: Stage, dates: int) -> Iterator[Airflow]:
    """A whole Airflow on a new metadata database, a new store, and a ledger of so many dates."""
    home = HOME / "backfill"
    shutil.rmtree(home, ignore_errors=True)
    port = free_port()
    with store_and_ledger(stage, dates) as store:
        metadata = stage.server.fresh_database("airflow")
        try:
            variables = _variables(stage, store, metadata, home)
            dags = Path(variables["AIRFLOW__CORE__DAGS_FOLDER"])
            dags.mkdir()
            for file in DAGS:
                shutil.copy(file, dags)
            Path(variables["ROPO_PROFILES_FILE"]).write_text(_PROFILES, encoding="utf-8")
            migrate(variables, subprocess.DEVNULL)
            password = admin_password(home)
            with serving(variables, home, port):
                yield Airflow(variables, AirflowApi(f"http://127.0.0.1:{port}", password), stage.server.dsn(store))
        finally:
            stage.server.drop_database(metadata)


@contextmanager
def store_and_ledger(stage: Stage, dates: int) -> Iterator[str]:
    """An empty store and, in the same database, a ledger with :data:`INVOICES` a date; by the database's name."""
    with stage.store() as store:
        with (
            closing(psycopg2.connect(stage.server.dsn(store))) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(_LEDGER.read_text(encoding="utf-8"), {"first": FIRST, "dates": dates, "invoices": INVOICES})
        yield store


def _variables(stage: Stage, store: str, metadata: str, home: Path) -> dict[str, str]:
    given = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **stage.variables(store, cid=stage.queue(0)),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_ERP_LEDGER": json.dumps(stage.server.airflow_connection(store)),
        "ROPO_PROFILES_FILE": str(home / "profiles.yaml"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PARALLELISM": str(AT_ONCE),
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        METADATA_VARIABLE: stage.server.dsn(metadata, driver="psycopg2"),
        "NO_PROXY": "127.0.0.1",
    }
    return project_environment(given, home)
