"""A task that failed is told once; one that began and never ended is found."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.dag_processing.dagbag import DagBag

from include.watch.failed import FailedTasks
from local_airflow.paths import ROOT
from ropo_one.alerts import FailedTaskNotifier, failure_is_over, told_when_it_fails
from ropo_one.operators.watch import WatchOperator
from tests.include.status_store.views import query
from tests.include.watch.records import told
from tests.plugins.ropo_one.alert_receivers import Instance, MailServer, body, context_of
from tests.plugins.ropo_one.test_alerts import NOW, UNDER_WAY

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_failed_task_is_told_once_until_it_succeeds(mail: MailServer) -> None:
    task = SimpleNamespace(profile="default")
    context = context_of("ropo_reconciliation", "profile.recheck", task)

    FailedTaskNotifier()(context)
    FailedTaskNotifier()(context)
    (message,) = mail.mails()
    assert message["Subject"] == "[Ropo One] default: earlier dates could not be compared again"
    assert "/dags/ropo_reconciliation/runs/run%201" in body(message)

    failure_is_over(context)
    FailedTaskNotifier()(context)
    assert len(mail.mails()) == 1


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_full_comparison_that_failed_is_told_by_its_date(mail: MailServer) -> None:
    context = context_of("ropo_full_comparison", "profile.compare", SimpleNamespace(profile="default"))

    FailedTaskNotifier(each_date=True)(context)

    (message,) = mail.mails()
    assert message["Subject"] == "[Ropo One] default: the full comparison of 2026-10-31 failed"


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_failure_that_could_not_be_sent_is_told_by_the_next_watch(mail: MailServer) -> None:
    context = context_of("ropo_maintenance", "profile.erase_texts", SimpleNamespace(profile="default"))
    mail.refuses = True
    with pytest.raises(Exception, match="no such person"):
        FailedTaskNotifier()(context)
    mail.refuses = False

    watched: Any = {"ti": Instance()}
    told = WatchOperator(task_id="watch", profile="default").execute(watched)["told"]

    assert told["failed_task"] == 1
    assert "texts past their retention could not be erased" in "".join(str(each["Subject"]) for each in mail.mails())


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_task_that_was_killed_is_told_by_the_process_that_reads_the_dags(mail: MailServer) -> None:
    """There no task is mapped to its profile: it has Airflow's stand-in for the name instead."""
    bag = DagBag(dag_folder=ROOT / "dags" / "ropo_maintenance.py")
    task = bag.dags["ropo_maintenance"].get_task("profile.erase_texts")

    FailedTaskNotifier()(context_of("ropo_maintenance", "profile.erase_texts", task))

    assert len(mail.mails()) == 1


def begin(context: Any, *, each_date: bool = False) -> dict[str, Any]:
    """Call what Airflow calls when the task begins, and return its other callbacks."""
    callbacks = told_when_it_fails(each_date=each_date)
    callbacks["on_execute_callback"](context)
    return callbacks


def a_task(limit: datetime.timedelta | None = datetime.timedelta(hours=1)) -> SimpleNamespace:
    return SimpleNamespace(profile="default", execution_timeout=limit)


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_task_is_marked_from_its_begin_to_its_end_whichever_way_it_ends(store: Connection, mail: MailServer) -> None:
    context = context_of("ropo_reconciliation", "profile.recheck", a_task())

    for end in ("on_success_callback", "on_failure_callback", "on_skipped_callback"):
        callbacks = begin(context)
        assert query(store, UNDER_WAY) == [("default", "ropo_reconciliation recheck", "run 1", None, True)]
        callbacks[end](context)
        assert query(store, UNDER_WAY) == []
    assert len(mail.mails()) == 1


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_the_mark_of_a_full_comparison_has_its_date_and_the_watch_tells_that(
    session: Session, store: Connection, profile: Profile
) -> None:
    begin(context_of("ropo_full_comparison", "profile.compare", a_task()), each_date=True)
    assert query(store, UNDER_WAY)[0][3] == datetime.date(2026, 10, 31)
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)

    assert told(session, FailedTasks(profile, soon)) == [], "it has time for its callbacks, too"
    (alert,) = told(session, FailedTasks(profile, soon + datetime.timedelta(minutes=11)))
    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-31 failed"


@pytest.mark.usefixtures("airflow_store", "profiles")
@pytest.mark.parametrize("end", ["on_skipped_callback", "on_retry_callback"])
def test_a_task_that_skips_itself_or_waits_for_its_next_try_ends_no_failure(
    session: Session, profile: Profile, mail: MailServer, end: str
) -> None:
    context = context_of("ropo_reconciliation", "profile.recheck", a_task())
    mail.refuses = True
    with pytest.raises(Exception, match="no such person"):
        FailedTaskNotifier()(context)

    told_when_it_fails()[end](context)

    assert len(told(session, FailedTasks(profile, NOW))) == 1


@pytest.mark.usefixtures("airflow_store", "profiles")
def test_a_task_that_may_take_any_time_is_not_marked(store: Connection) -> None:
    begin(context_of("own_dag", "own_task", a_task(limit=None)))

    assert query(store, UNDER_WAY) == []
