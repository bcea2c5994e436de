"""In a real Airflow a nightly task's process is killed, as by the kernel where memory runs out: the watch tells it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from include.simulator.ropo import Ropo
from include.status_store.database import STORE_VARIABLE
from local_airflow import cluster, environment
from local_airflow.paths import ROOT
from local_airflow.serving import USER, admin_password, serving
from tests.browser.deployment import Deployment
from tests.plugins.ropo_one.alert_receivers import body, mail_server

if TYPE_CHECKING:
    import pathlib
    from email.message import EmailMessage

    from local_airflow.embedded import Server

# Airflow takes its time to start, and each run takes some seconds.
pytestmark = pytest.mark.timeout(600)

PROFILES = """
profiles:
  - {name: default, start_date: 2020-01-01, page_retention_days: 1, alerts: {to: [ops@example.com]}}
"""
# The real one comes after a drain, which would ask Ropo One.
WATCH_FILE = """
import datetime
from airflow.sdk import DAG
from ropo_one.operators.watch import WatchOperator

with DAG("watch", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)):
    WatchOperator(task_id="watch", profile="default")
"""
MAINTENANCE = "ropo_maintenance"
BOTH_ARE_THERE = "SELECT FROM dag HAVING count(*) = 2"
# Airflow makes the newest scheduled run of a DAG as soon as it is not paused. Its task waits in the store.
WORKING = """
SELECT dag_run.run_id, task_instance.pid
FROM task_instance JOIN dag_run USING (dag_id, run_id)
WHERE dag_id = 'ropo_maintenance' AND task_id LIKE '%%remove_pages' AND task_instance.state = 'running' AND pid > 0
"""
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
ENDED = "SELECT FROM dag_run WHERE dag_id = 'ropo_maintenance' AND run_id = %s AND state IN ('success', 'failed')"
STATE = "SELECT state FROM task_instance WHERE run_id = %s AND task_id LIKE '%%remove_pages'"
MARKS = "SELECT task, run_id, until > now() + interval '2 hours' FROM ropo.task_under_way"
ALERTS = "SELECT subject, ended_at IS NULL FROM ropo.alert WHERE topic = 'failed_task'"


class Outcome:
    """What came of it.

    :ivar killed: the run whose task was killed, and ``state``: of the task in Airflow.
    :ivar marks: rows of the store when the run had ended; ``alerts``: what was on the register by then.
    :ivar told: mails of the watch after the task's time was over; ``open``: (task, not over) on the register then.
    :ivar after: the same when the next run had succeeded, and ``left``: the marks by then.
    """

    killed: str
    state: str
    marks: list[tuple[Any, ...]]
    alerts: list[tuple[Any, ...]]
    told: list[EmailMessage]
    open: list[tuple[Any, ...]]
    after: list[tuple[Any, ...]]
    left: list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def outcome(
    postgres: Server, metadata_template: str, store_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """Everything at once: Airflow takes its time to start."""
    home = tmp_path_factory.mktemp("airflow")
    store = postgres.fresh_database("store", template=store_template)
    metadata = postgres.fresh_database("metadata", template=metadata_template)
    port = cluster.free_port()
    with mail_server() as mail, closing(psycopg2.connect(postgres.dsn(store))) as lock:
        variables = _variables(postgres, store, metadata, home) | {"AIRFLOW_CONN_SMTP_DEFAULT": mail.airflow_connection}
        passwords = {USER: admin_password(home)}
        lock.cursor().execute("LOCK TABLE ropo.status_page IN ACCESS EXCLUSIVE MODE")
        with serving(variables, home, port):
            url = f"http://localhost:{port}"
            airflow = Deployment(url, passwords, postgres.dsn(metadata), postgres.dsn(store), Ropo())
            outcome = Outcome()
            # Not before: a task that starts while the API server does fails, for another reason.
            airflow.wait_for(airflow.metadata, BOTH_ARE_THERE)
            airflow.change(airflow.metadata, "UPDATE dag SET is_paused = false")
            _kill(airflow, outcome)
            lock.rollback()
            airflow.wait_for(airflow.metadata, ENDED, outcome.killed)
            ((outcome.state,),) = airflow.ask(airflow.metadata, STATE, outcome.killed)
            outcome.marks, outcome.alerts = airflow.ask(airflow.store, MARKS), airflow.ask(airflow.store, ALERTS)
            airflow.change(airflow.store, "UPDATE ropo.task_under_way SET until = now()")
            airflow.run("watch")
            outcome.told, outcome.open = mail.mails(), airflow.ask(airflow.store, ALERTS)
            airflow.run(MAINTENANCE)
            outcome.after, outcome.left = airflow.ask(airflow.store, ALERTS), airflow.ask(airflow.store, MARKS)
    return outcome


def _kill(airflow: Deployment, outcome: Outcome) -> None:
    airflow.wait_for(airflow.store, WAITING)
    ((outcome.killed, pid),) = airflow.wait_for(airflow.metadata, WORKING)
    os.kill(pid, signal.SIGKILL)


def _variables(postgres: Server, store: str, metadata: str, home: pathlib.Path) -> dict[str, str]:
    (home / "dags").mkdir()
    shutil.copy(ROOT / "dags" / f"{MAINTENANCE}.py", home / "dags")
    (home / "dags" / "watch.py").write_text(WATCH_FILE, encoding="utf-8")
    (home / "profiles.yaml").write_text(PROFILES, encoding="utf-8")
    given = {
        environment.METADATA_VARIABLE: postgres.dsn(metadata, driver="psycopg2"),
        STORE_VARIABLE: json.dumps(postgres.airflow_connection(store)),
        "ROPO_PROFILES_FILE": str(home / "profiles.yaml"),
        "NO_PROXY": "127.0.0.1,localhost",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PARALLELISM": "2",
        # On a busy machine Airflow's own 5 s are too short, and tasks fail that were never run.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    }
    return environment.project_environment(given, home)


def test_airflow_says_that_it_failed_and_tells_nobody(outcome: Outcome) -> None:
    assert outcome.state == "failed"
    assert outcome.alerts == []


def test_its_mark_is_left_until_its_time_is_over(outcome: Outcome) -> None:
    assert outcome.marks == [("ropo_maintenance remove_pages", outcome.killed, True)]


def test_then_the_watch_tells_it_with_its_run(outcome: Outcome) -> None:
    assert outcome.open == [("ropo_maintenance remove_pages", True)]
    (mail,) = [mail for mail in outcome.told if "removed" in str(mail["Subject"])]
    assert str(mail["Subject"]).endswith("raw pages past their retention could not be removed")
    assert "began and was not over by" in body(mail)
    assert "/dags/ropo_maintenance/runs/scheduled__" in body(mail)


def test_the_next_run_that_succeeds_ends_it_and_leaves_no_mark(outcome: Outcome) -> None:
    assert outcome.after == [("ropo_maintenance remove_pages", False)]
    assert outcome.left == []
