"""In a real Airflow: a late date, a red verdict and a failed task are told, its end is kept; metrics reach a socket."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from include.config.profiles import TIME_FOR_A_VERDICT, Profile
from include.status_store.database import connect
from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError
from include.watch.failed import note_failure
from local_airflow import environment
from local_airflow.paths import ROOT
from local_airflow.waiting import until
from ropo_one.deadline import verdict_deadlines
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.watch.records import broken, keep_break, record
from tests.integration.airflow.one_day import HELSINKI, on_one_day
from tests.plugins.ropo_one.alert_receivers import MailServer, StatsdSocket, body, mail_server

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage

    from local_airflow.embedded import Server

DAY = datetime.timedelta(days=1)
# Hour 0: the deadline of yesterday's date is an hour after midnight. Until then "today" is yesterday here.
PROFILES = """
profiles:
  - name: default
    start_date: 2020-01-01
    alerts: {to: [finance@example.com], deadline_hour: 0}
    settle_hours: 0
"""
DAG_FILE = """
import datetime, os
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Param, TriggerRule, task, task_group
from include.config.profiles import load_profiles
from ropo_one.alerts import FailedTaskNotifier, RedVerdictNotifier, failure_is_over
from ropo_one.deadline import verdict_deadlines
from ropo_one.operators.reconciliation import VerdictOperator
from ropo_one.timetable import BusinessDateTimetable
from ropo_one.operators.watch import WatchOperator

daily = BusinessDateTimetable(timezone="Europe/Helsinki")
past = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
deadline = verdict_deadlines(load_profiles())
with DAG("made_late", schedule=daily, start_date=past, catchup=False, deadline=deadline):
    EmptyOperator(task_id="never", pool="no_such_pool")
with DAG("late", schedule=daily, start_date=past + datetime.timedelta(days=36500), catchup=False, deadline=deadline):
    EmptyOperator(task_id="never", pool="no_such_pool")
with DAG("in_time", schedule=daily, start_date=past + datetime.timedelta(days=36500), catchup=False, deadline=deadline):
    EmptyOperator(task_id="at_once")
with DAG("told", schedule=None, params={"date": Param(None, type=["null", "string"])}):

    @task_group
    def profile(name):
        @task
        def compare():
            return {"reconciliation_id": int(os.environ["RECONCILIATION_ID"])}

        verdict = VerdictOperator(
            task_id="verdict",
            profile=name,
            reconciliation_task_id="profile.compare",
            on_failure_callback=RedVerdictNotifier(),
        )
        compare() >> verdict

        @task
        def compare_all():
            return None

        whole = VerdictOperator(
            task_id="whole",
            profile=name,
            reconciliation_task_id="profile.compare_all",
            on_failure_callback=FailedTaskNotifier(each_date=True),
        )
        compare_all() >> whole

    watch = WatchOperator.partial(
        task_id="watch", trigger_rule=TriggerRule.ALL_DONE, on_success_callback=failure_is_over
    )
    names = [each.name for each in load_profiles()]
    profile.expand(name=names) >> [watch.expand(profile=names), EmptyOperator(task_id="outcome")]
"""


class Outcome:
    """What came of it.

    :ivar today: in Helsinki, which begins when yesterday's verdict is due: an hour after midnight.
    :ivar is_made_late: whether the run that the scheduler makes is made after its deadline: not in that hour.
    :ivar told: mails of the run of the DAG ``told``; ``metrics``: what it emitted, by name.
    :ivar failed: (task, business date, over) of each failed task on the register.
    :ivar late: mails of the deadlines; ``deadlines``: (dag, run type, business date, missed) of each that is left;
        ``callbacks``: (dag, state, what became of it) of each of these.
    """

    today: datetime.date
    is_made_late: bool
    told_state: str
    told: list[EmailMessage]
    metrics: dict[str, str]
    failed: list[tuple[Any, ...]]
    late: list[EmailMessage]
    deadlines: list[tuple[Any, ...]]
    callbacks: list[tuple[Any, ...]]
    logs: str


@pytest.fixture(scope="module")
def outcome(
    postgres: Server, metadata_template: str, store_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """Everything at once: Airflow takes its time to start."""

    def made(today: datetime.date) -> Outcome:
        home = tmp_path_factory.mktemp("airflow")
        store_name = postgres.fresh_database("store", template=store_template)
        with mail_server() as mail, closing(StatsdSocket()) as statsd:
            return _outcome(postgres, metadata_template, store_name, home, mail, statsd, today)

    return on_one_day(made, late=TIME_FOR_A_VERDICT)


def _outcome(
    postgres: Server,
    template: str,
    store: str,
    home: pathlib.Path,
    mail: MailServer,
    statsd: StatsdSocket,
    today: datetime.date,
) -> Outcome:
    reconciliation_id = _fill(postgres.dsn(store), today - 2 * DAY)
    metadata = postgres.fresh_database("metadata", template=template)
    variables = _variables(postgres, store, metadata, home, mail, statsd)
    variables["RECONCILIATION_ID"] = str(reconciliation_id)
    outcome = Outcome()
    outcome.today = today
    outcome.is_made_late = datetime.datetime.now(HELSINKI).date() == today
    driver = str(ROOT / "tests" / "integration" / "airflow" / "alert_driver.py")
    dates = f"{today} {today - DAY} {today - 2 * DAY}"
    done = subprocess.run(
        [sys.executable, driver], env=variables, input=dates, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    outcome.told_state, outcome.logs = done.stdout, done.stderr
    outcome.told, outcome.metrics = mail.mails(), statsd.metrics("airflow.ropo_one.")

    with closing(psycopg2.connect(postgres.dsn(metadata))) as connection:
        connection.autocommit = True
        ask = _asker(connection)
        with closing(connect(postgres.dsn(store))) as kept, kept:
            # What the watch told of yesterday is told again by the deadline: here it is the one to find it.
            kept.cursor().execute("DELETE FROM ropo.alert WHERE topic = 'missing_verdict'")
            outcome.failed = _asker(kept)(
                "SELECT subject, fingerprint, ended_at IS NOT NULL FROM ropo.alert WHERE topic = 'failed_task'"
            )
        airflow = str(ROOT / ".venv" / "bin" / "airflow")
        with _running([airflow, "scheduler"], variables, home), _running([airflow, "triggerer"], variables, home):
            _wait(lambda: ask("SELECT FROM callback WHERE state IN ('success', 'failed')"), home)
            _wait(lambda: ask("SELECT FROM dag_run WHERE dag_id = 'in_time' AND state = 'success'"), home)
            _wait(lambda: ask("SELECT FROM dag_run WHERE dag_id = 'made_late' AND state = 'success'"), home)
            called = "SELECT FROM callback WHERE state IN ('running', 'success', 'failed')"
            _wait(lambda: len(ask(called)) == 1 + outcome.is_made_late, home)
        outcome.deadlines = ask(
            "SELECT dag_id, run_type, partition_key, missed FROM deadline JOIN dag_run ON dag_run.id = dagrun_id "
            "ORDER BY dag_id"
        )
        outcome.callbacks = ask(
            "SELECT dag_run.dag_id, callback.state, output FROM callback JOIN deadline ON callback.id = callback_id "
            "JOIN dag_run ON dag_run.id = dagrun_id ORDER BY dag_run.dag_id"
        )
    outcome.late = mail.mails()
    return outcome


def _fill(dsn: str, red: datetime.date) -> int:
    """A profile whose queue was drained, with one poll in doubt and a red date."""
    with closing(connect(dsn)) as store, Session(lambda: connect(dsn)) as session:
        store.autocommit = True
        journal = Journal(Profile(name="default"), dag_id="told", run_id="another")
        for source in (ScriptedSource(page(row(1), row(2)), EMPTY), ScriptedSource(PollInDoubtError("timed out"))):
            Drain(session, source, journal, max_pages=10, max_seconds=30).run()
        reconciliation_id = record(
            store,
            red,
            "breaks",
            breaks=(broken("INV1", "10.00"), broken("INV2", "20.00", "missing_in_ledger", reason="no_row")),
        )
        with session.transaction() as cursor:
            note_failure(cursor, "default", "told watch", datetime.datetime.now(datetime.UTC) - DAY)
        keep_break(store, reconciliation_id, "b:INV1", "ledger_behind", "open")
        keep_break(store, reconciliation_id, "b:INV2", "missing_in_ledger", "open")
        return reconciliation_id


def _variables(
    postgres: Server, store: str, metadata: str, home: pathlib.Path, mail: MailServer, statsd: StatsdSocket
) -> dict[str, str]:
    (home / "dags").mkdir()
    (home / "dags" / "alerts.py").write_text(DAG_FILE, encoding="utf-8")
    (home / "profiles.yaml").write_text(PROFILES, encoding="utf-8")
    given = {
        environment.METADATA_VARIABLE: postgres.dsn(metadata, driver="psycopg2"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__API__BASE_URL": "https://airflow.example.com",
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
        "AIRFLOW_CONN_ROPO_STORE": json.dumps(postgres.airflow_connection(store)),
        "AIRFLOW_CONN_SMTP_DEFAULT": mail.airflow_connection,
        "ROPO_PROFILES_FILE": str(home / "profiles.yaml"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
    }
    return environment.project_environment(given, home)


@contextmanager
def _running(command: list[str], variables: dict[str, str], home: pathlib.Path) -> Iterator[None]:
    """A process of Airflow's own while the block runs, in a group that ends with it."""
    with (home / f"{command[-1]}.log").open("w") as log:
        process = subprocess.Popen(command, env=variables, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _asker(connection: Any) -> Callable[[str], list[tuple[Any, ...]]]:
    def ask(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    return ask


def _wait(condition: Callable[[], object], home: pathlib.Path) -> None:
    def logs() -> dict[str, str]:
        return {file.name: file.read_text()[-5000:] for file in home.glob("*.log")}

    until(condition, seconds=120, every=0.2, instead=logs)


def test_a_run_that_is_late_is_told_by_its_deadline(outcome: Outcome) -> None:
    yesterday = outcome.today - DAY
    assert outcome.callbacks[0] == ("late", "success", f"{yesterday}: told of default")
    (mail,) = outcome.late
    assert str(mail["Subject"]).endswith("has no verdict by 01:00")


def test_a_run_that_was_made_after_its_deadline_has_time_before_it_is_told(outcome: Outcome) -> None:
    assert outcome.callbacks[1:] == ([("made_late", "running", None)] if outcome.is_made_late else [])


def test_a_run_that_ends_in_time_leaves_no_deadline_and_one_that_is_not_scheduled_never_had_one(
    outcome: Outcome,
) -> None:
    yesterday = outcome.today - DAY
    missed = ("late", "made_late") if outcome.is_made_late else ("late",)
    assert outcome.deadlines == [(dag, "scheduled", yesterday.isoformat(), True) for dag in missed]


def test_a_red_verdict_is_told_when_its_task_fails_and_not_again_by_the_watch(outcome: Outcome) -> None:
    assert outcome.told_state == "failed"
    red = [mail for mail in outcome.told if "is red" in str(mail["Subject"])]
    (mail,) = red
    assert str(mail["Subject"]).endswith("is red: 2 breaks")
    assert "https://airflow.example.com/dags/ropo_reconciliation/runs/run%201" in body(mail)
    assert "Invoice INV2: missing in the ledger" in body(mail)


def test_a_task_that_failed_is_told_by_its_callback_and_ended_by_its_success(outcome: Outcome) -> None:
    date = outcome.today - 2 * DAY
    assert sorted(outcome.failed) == [("told watch", "", True), ("told whole", date.isoformat(), False)]
    # With what had failed before, and nobody had told: in one message, and not again by the watch.
    (mail,) = [mail for mail in outcome.told if "failed" in str(mail["Subject"])]
    assert str(mail["Subject"]).endswith("2 tasks failed")
    assert "the task whole of told failed" in body(mail)
    assert "https://airflow.example.com/dags/told/runs/" in body(mail)


def test_metrics_reach_a_statsd_socket_under_the_profiles_name(outcome: Outcome) -> None:
    metrics = {name.removeprefix("airflow.ropo_one.default."): value for name, value in outcome.metrics.items()}
    assert metrics["in_doubt_polls"] == "1|g"
    assert metrics["open_breaks.ledger_behind"] == "1|g"
    assert metrics["open_breaks.missing_in_ledger"] == "1|g"
    assert metrics["open_breaks.status_conflict"] == "0|g"
    assert float(metrics["newest_event_lag_seconds"].removesuffix("|g")) > 0
    assert "events_drained" in metrics


def test_no_secret_is_in_airflows_log_or_a_mail(outcome: Outcome, postgres: Server) -> None:
    texts = [outcome.logs, *(body(mail) for mail in (*outcome.told, *outcome.late))]
    assert not [text for text in texts if postgres.password in text]


def test_profiles_of_one_market_clock_share_a_deadline() -> None:
    profiles = [Profile(name="a"), Profile(name="b", timezone="Europe/Stockholm"), Profile(name="c")]
    alerts = verdict_deadlines(profiles)
    assert [alert.callback.kwargs["profiles"] for alert in alerts] == [["a", "c"], ["b"]]
