"""A store that is away, or takes nothing, is told without it: nothing can be written down then."""

from __future__ import annotations

import datetime
import json
import logging
from html import unescape
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from include.status_store.database import StoreUnavailableError, connect
from ropo_one import store as store_module
from ropo_one.alerts import FailedTaskNotifier, RedVerdictNotifier, failure_is_over, told_when_it_fails
from ropo_one.deadline import tell_of_missing
from ropo_one.operators.watch import WatchOperator
from tests.include.status_store.views import execute, query
from tests.include.watch.records import record
from tests.plugins.ropo_one.alert_receivers import Instance, MailServer, body, context_of

if TYPE_CHECKING:
    import pathlib

    from psycopg2.extensions import connection as Connection


DAY = datetime.date(2026, 10, 5)
NOW = datetime.datetime(2026, 10, 6, 3, tzinfo=datetime.UTC)
logger = logging.getLogger("alerts")


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever insists has had its minute."""
    monkeypatch.setattr("ropo_one.store.PATIENCE_SECONDS", 0.0)


@pytest.fixture
def failover(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is away for the first who opens it, and back for the next."""
    monkeypatch.setattr("ropo_one.store.PATIENCE_SECONDS", 60.0)
    away = iter([StoreUnavailableError("the store is away")])

    def connect_after_failover(*args: Any, **options: Any) -> Connection:
        for error in away:
            raise error
        return connect(*args, **options)

    monkeypatch.setattr(store_module, "connect", connect_after_failover)


@pytest.fixture
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store where nobody listens."""
    place = {"conn_type": "postgres", "host": "127.0.0.1", "port": 9, "schema": "ropo"}
    connection = {**place, "login": "ropo", "password": "s3cret"}
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(connection))


def refuse_alerts(store: Connection) -> None:
    """Let the store be read, and take no alert: its disk is full."""
    execute(
        store,
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE 'could not extend file "base/5/24711": No space left on device' USING ERRCODE = 'disk_full';
        END
        $$;
        CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ropo.alert FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
    )


@pytest.fixture
def full_disk(store: Connection) -> None:
    """A store whose disk is full."""
    refuse_alerts(store)


def run_of(moment: datetime.datetime, before: datetime.datetime | None = None, *, by_hand: bool = False) -> Any:
    """A run of the drain, as Airflow hands it to a task.

    :param before: when the run before it was due; None: it is the first.
    :param by_hand: of one that is triggered without a logical date; Airflow knows no run before it.
    """
    previous = SimpleNamespace(run_after=before) if before else None
    instance = SimpleNamespace(dag_id=Instance.dag_id, run_id=Instance.run_id, get_previous_dagrun=lambda: previous)
    return {"ti": instance, "dag_run": SimpleNamespace(run_after=moment, logical_date=None if by_hand else moment)}


# Where runs take longer than a quarter of an hour, ticks are left out: some have none at the full hour.
@pytest.mark.usefixtures("no_store", "profiles")
@pytest.mark.parametrize(
    ("before", "now", "mails"),
    [
        (None, "03:15", 1),
        ("02:45", "03:00", 1),
        ("02:45", "03:45", 1),
        ("02:30", "03:15", 1),
        ("03:00", "03:15", 0),
        ("03:15", "03:45", 0),
    ],
)
def test_where_the_store_is_away_the_watch_says_so_in_the_first_run_of_each_hour(
    mail: MailServer, before: str | None, now: str, mails: int
) -> None:
    def at(clock: str) -> datetime.datetime:
        return datetime.datetime.fromisoformat(f"2026-10-06T{clock}+00:00")

    context = run_of(at(now), at(before) if before else None)

    with pytest.raises(StoreUnavailableError):
        WatchOperator(task_id="watch", profile="default").execute(context)

    told = mail.mails()
    assert [str(each["Subject"]) for each in told] == ["[Ropo One] default: the store cannot be used"] * mails
    for message in told:
        assert "The store (connection ropo_store) cannot be reached" in body(message)
        assert "nothing is drained or compared" in body(message)
        assert "s3cret" not in body(message)


@pytest.mark.usefixtures("no_store", "profiles")
def test_where_the_store_is_away_a_watch_by_hand_says_so_to_whom_it_was_started_by_alone(mail: MailServer) -> None:
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        WatchOperator(task_id="watch", profile="default").execute(run_of(NOW, by_hand=True))

    assert mail.mails() == []


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_where_the_store_goes_away_beneath_the_watch_it_says_so_too(
    store: Connection, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object, **__: object) -> int:
        raise StoreUnavailableError("The store's connection was lost")

    monkeypatch.setattr("ropo_one.operators.watch.tell_topic", lose)
    context = run_of(NOW)

    with pytest.raises(StoreUnavailableError):
        WatchOperator(task_id="watch", profile="default").execute(context)

    (message,) = mail.mails()
    assert "connection was lost" in body(message)


@pytest.mark.usefixtures("no_store", "profiles")
def test_where_the_store_is_away_at_the_deadline_each_profile_is_told(mail: MailServer, profiles: pathlib.Path) -> None:
    profiles.write_text(
        "profiles:\n"
        "  - {name: fi, alerts: {to: [fi@example.com]}}\n"
        "  - {name: se, alerts: {to: [se@example.com]}}\n"
        "  - {name: silent}\n",
        encoding="utf-8",
    )
    context = {"dag_run": {"partition_key": "2026-10-05"}, "deadline": {}}

    told = tell_of_missing(["fi", "se", "silent"], context)

    assert told == "2026-10-05: the store cannot be used, told of fi, se, silent"

    assert [(each["To"], each["Subject"]) for each in mail.mails()] == [
        ("fi@example.com", "[Ropo One] fi: the store cannot be used"),
        ("se@example.com", "[Ropo One] se: the store cannot be used"),
    ]


NO_SPACE = 'The store takes no transaction: could not extend file "base/5/24711": No space left on device'


@pytest.mark.usefixtures("airflow_store", "profiles", "full_disk")
def test_where_the_stores_disk_is_full_the_watch_tells_that_the_store_cannot_be_used(mail: MailServer) -> None:
    context = run_of(NOW)

    with pytest.raises(StoreUnavailableError, match=NO_SPACE):
        WatchOperator(task_id="watch", profile="default").execute(context)

    (message,) = mail.mails()
    assert message["Subject"] == "[Ropo One] default: the store cannot be used"
    assert NO_SPACE in unescape(body(message))


@pytest.mark.usefixtures("airflow_store", "profiles", "full_disk")
def test_where_the_stores_disk_is_full_at_the_deadline_that_is_told(mail: MailServer) -> None:
    context = {"dag_run": {"partition_key": "2026-10-05"}, "deadline": {}}

    assert tell_of_missing(["default"], context) == "2026-10-05: the store cannot be used, told of default"

    (message,) = mail.mails()
    assert NO_SPACE in unescape(body(message))


@pytest.mark.usefixtures("airflow_store", "profiles", "full_disk")
def test_the_callbacks_of_tasks_name_the_full_disk_and_blame_no_notifier(store: Connection, mail: MailServer) -> None:
    record(store, datetime.date(2026, 10, 31), "breaks", break_count=1)
    context = context_of("ropo_reconciliation", "profile.verdict", SimpleNamespace(profile="default"))

    with pytest.raises(StoreUnavailableError, match=NO_SPACE):
        RedVerdictNotifier()(context)
    with pytest.raises(StoreUnavailableError, match=NO_SPACE):
        FailedTaskNotifier()(context)


@pytest.mark.usefixtures("airflow_store", "profiles", "mail")
def test_a_success_that_a_full_disk_keeps_from_being_written_names_the_disk(
    store: Connection,
) -> None:
    context = context_of("ropo_maintenance", "profile.erase_texts", SimpleNamespace(profile="default"))
    FailedTaskNotifier()(context)
    refuse_alerts(store)

    with pytest.raises(StoreUnavailableError, match=NO_SPACE):
        failure_is_over(context)


@pytest.mark.usefixtures("airflow_store", "profiles", "failover")
def test_a_store_that_is_away_for_a_second_is_no_outage_for_the_watch(store: Connection, mail: MailServer) -> None:
    record(store, datetime.datetime.now(datetime.UTC).date(), "breaks", break_count=1)

    result = WatchOperator(task_id="watch", profile="default").execute(run_of(NOW))

    assert result["told"]["red_verdict"] == 1
    subjects = [str(each["Subject"]) for each in mail.mails()]
    assert any("is red" in subject for subject in subjects)
    assert not any("cannot be used" in subject for subject in subjects)


@pytest.mark.usefixtures("airflow_store", "profiles", "failover")
def test_a_store_that_is_away_for_a_second_is_no_outage_at_the_deadline(mail: MailServer) -> None:
    told = tell_of_missing(["default"], {"dag_run": {"partition_key": "2026-10-05"}, "deadline": {}})

    assert "cannot be used" not in told
    assert not any("cannot be used" in str(each["Subject"]) for each in mail.mails())


@pytest.mark.usefixtures("airflow_store", "profiles", "failover")
def test_a_task_that_failed_is_told_at_once_though_the_store_was_away_just_then(mail: MailServer) -> None:
    FailedTaskNotifier()(context_of("ropo_maintenance", "profile.erase_texts", SimpleNamespace(profile="default")))

    (message,) = mail.mails()
    assert "texts past their retention could not be erased" in str(message["Subject"])


@pytest.mark.usefixtures("airflow_store", "profiles", "mail")
@pytest.mark.parametrize("end", ["on_success_callback", "on_skipped_callback", "on_retry_callback"])
def test_a_task_that_ended_well_is_not_told_as_killed_for_a_store_that_was_away_just_then(
    store: Connection, request: pytest.FixtureRequest, end: str
) -> None:
    task = SimpleNamespace(profile="default", execution_timeout=datetime.timedelta(hours=1))
    context = context_of("ropo_reconciliation", "profile.recheck", task)
    callbacks = told_when_it_fails()
    callbacks["on_execute_callback"](context)

    request.getfixturevalue("failover")
    callbacks[end](context)

    assert query(store, "SELECT task FROM ropo.task_under_way") == []


@pytest.mark.usefixtures("no_store", "profiles")
def test_a_task_begins_though_the_store_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    """What it does there fails by itself, and says so."""
    task = SimpleNamespace(profile="default", execution_timeout=datetime.timedelta(hours=1))

    told_when_it_fails()["on_execute_callback"](context_of("ropo_maintenance", "profile.erase_texts", task))

    said = capsys.readouterr().out
    assert "nobody will be told: The store (connection ropo_store) cannot be reached" in said
    assert "s3cret" not in said
