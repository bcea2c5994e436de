"""What the scheduled run does about earlier dates, and the maintenance, through their operators and a real server."""

from __future__ import annotations

import datetime
import json
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import psycopg2
import pytest
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    TaskDeferred,
)

from include.status_store.drain import Drain
from include.status_store.journal import Journal
from local_airflow.cluster import SUPERUSER
from ropo_one.exceptions import RopoConnectionInvalidError
from ropo_one.operators import maintenance
from ropo_one.operators.maintenance import EraseTextsOperator, RemovePagesOperator
from ropo_one.operators.polling import RopoEarlierRereadOperator
from ropo_one.operators.reconciliation import RecheckOperator, ReconciliationOperator, SettleOperator
from tests.include.reconciliation.world import LEDGER
from tests.include.status_store.scripted_source import EMPTY as NOTHING
from tests.include.status_store.scripted_source import ScriptedSource, row
from tests.include.status_store.scripted_source import page as scripted_page
from tests.include.status_store.views import note_days
from tests.plugins.ropo_one.earlier_tasks import task_instance
from tests.plugins.ropo_one.scripted_server import EMPTY, answer, page

if TYPE_CHECKING:
    import pathlib

    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from local_airflow.embedded import Server
    from tests.plugins.ropo_one.conftest import Connect
    from tests.plugins.ropo_one.scripted_server import ScriptedServer

OWN = datetime.date(2026, 11, 16)  # the run's date, a Monday; the scripted rows are of the Friday before
SETTINGS = "late_days: 2, recheck_days: 5, grace_business_days: 0, start_date: 2026-11-01"


def context(
    run_type: str = "scheduled", *, reread: object = None, compared: object = None, reread_state: str = "success"
) -> Context:
    """A run of 2026-11-16, with what its tasks *reread* and *compare* returned."""
    instance = task_instance({"reread": reread, "compare": compared}, states={"reread": reread_state})
    run = SimpleNamespace(partition_key=str(OWN), run_type=run_type)
    return cast("Context", {"ti": instance, "dag_run": run, "params": {}})


def query(store: Connection, statement: str) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, store_connection: str) -> pathlib.Path:
    """Profiles of the test's own, set after the store's connection, which names those shipped."""
    file = tmp_path / "profiles.yaml"
    file.write_text(f"profiles:\n  - {{name: default, {SETTINGS}}}\n", encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    return file


@pytest.fixture(autouse=True)
def _connections(server: ScriptedServer, connect: Connect, profiles: pathlib.Path) -> None:
    connect(host=server.url, extra={"connect_timeout": 5, "read_timeout": 5})


@pytest.fixture
def ledger(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A ledger in which invoice 10001 is paid."""
    name = postgres.fresh_database("ledger")
    with psycopg2.connect(postgres.dsn(name)) as connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
        cursor.execute(
            "INSERT INTO ropo_ledger VALUES ('10001', '3000001', 'paid', 96.72, 96.72, 0, 0, 0, 'EUR', "
            "'2026-11-01', '2026-11-13 09:00+00', true)"
        )
    monkeypatch.setenv("AIRFLOW_CONN_ERP_LEDGER", json.dumps(postgres.airflow_connection(name, SUPERUSER)))
    return name


def test_earlier_dates_are_asked_over_http_and_one_that_is_refused_is_named_in_the_end(
    server: ScriptedServer, store: Connection
) -> None:
    server.polls_will_be(page(row(1)), answer(404))
    operator = RopoEarlierRereadOperator(task_id="reread_earlier", profile="default")

    with pytest.raises(AirflowException, match="1 of 2 earlier dates could not be re-read"):
        operator.execute(context())

    assert [poll.query for poll in server.polls] == [{"date": "2026-11-15"}, {"date": "2026-11-14"}]
    assert query(store, "SELECT outcome, run_id FROM ropo.status_poll ORDER BY poll_id") == [
        ("landed", "the_run"),
        ("refused", "the_run"),
    ]
    server.polls_will_be(EMPTY, EMPTY)
    assert operator.execute(context())["dates"] == 2


def test_earlier_dates_that_a_wrong_connection_keeps_from_being_asked_are_told_with_the_profile(
    connect: Connect,
) -> None:
    connect(host="")
    told = r"^Profile default: Connection ropo_one_default: .*\. No earlier date was re-read; the next run asks again$"
    with pytest.raises(RopoConnectionInvalidError, match=told):
        RopoEarlierRereadOperator(task_id="reread_earlier", profile="default").execute(context())


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_other_runs_than_scheduled_ones_leave_earlier_dates_alone(server: ScriptedServer, run_type: str) -> None:
    for operator in (
        RopoEarlierRereadOperator(task_id="reread_earlier", profile="default"),
        RecheckOperator(task_id="recheck", profile="default", reconciliation_task_id="compare"),
    ):
        with pytest.raises(AirflowSkipException, match=f"of type {run_type}"):
            operator.execute(context(run_type))
    assert server.polls == []


@pytest.mark.parametrize("run_type", ["manual", "backfill"])
def test_other_runs_than_scheduled_ones_wait_for_nothing(run_type: str) -> None:
    SettleOperator(task_id="settle", profile="default").execute(context(run_type))


def test_a_scheduled_run_of_a_date_that_is_settled_waits_for_nothing() -> None:
    settle = SettleOperator(task_id="settle", profile="default")
    past = context()
    past["dag_run"].partition_key = "2026-01-02"
    settle.execute(past)


@pytest.mark.parametrize(
    ("timezone", "date", "settled"),
    [
        ("Europe/Helsinki", "2099-01-15", "2099-01-16T01:00"),
        ("Europe/Stockholm", "2099-01-15", "2099-01-16T02:00"),
        # The clocks change on the last Sundays of March and October.
        ("Europe/Helsinki", "2099-03-28", "2099-03-29T01:00"),
        ("Europe/Helsinki", "2099-03-29", "2099-03-30T00:00"),
        ("Europe/Stockholm", "2099-10-24", "2099-10-25T01:00"),
        ("Europe/Stockholm", "2099-10-25", "2099-10-26T02:00"),
    ],
)
def test_a_scheduled_run_of_a_date_that_is_not_settled_waits_for_the_markets_midnight_and_the_profiles_hours(
    profiles: pathlib.Path, timezone: str, date: str, settled: str
) -> None:
    profiles.write_text(profiles.read_text().replace(SETTINGS, f"{SETTINGS}, timezone: {timezone}, settle_hours: 3"))
    settle = SettleOperator(task_id="settle", profile="default")
    ahead = context()
    ahead["dag_run"].partition_key = date

    with pytest.raises(TaskDeferred) as deferred:
        settle.execute(ahead)

    assert isinstance(deferred.value.trigger, DateTimeTrigger)
    assert deferred.value.trigger.moment == datetime.datetime.fromisoformat(f"{settled}+00:00")
    getattr(settle, deferred.value.method_name)(ahead, **(deferred.value.kwargs or {}))


@pytest.mark.usefixtures("ledger")
def test_a_break_is_asked_about_and_the_recheck_asks_no_more_than_the_profile_allows(
    server: ScriptedServer, store: Connection, profiles: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread")
    friday = context()
    friday["dag_run"].partition_key = "2026-11-13"
    server.polls_will_be(EMPTY)

    first = compare.execute(friday)

    assert [poll.query for poll in server.polls] == [{"billnum": "10001"}]
    assert (first["verdict"], first["breaks"], first["second_opinions_asked"]) == ("incomplete", 1, 1)
    query(store, "UPDATE ropo.status_poll SET opened_at = opened_at - interval '8 days'")
    recheck = RecheckOperator(task_id="recheck", profile="default", reconciliation_task_id="compare")
    profiles.write_text(profiles.read_text().replace(SETTINGS, f"{SETTINGS}, second_opinions: 1"))

    assert recheck.execute(context(compared=first))["changed"] == {"incomplete": 2}, "the weekend was missing"
    assert len(server.polls) == 1, "the run has asked about as many as it may"
    server.polls_will_be(page(row(1)))
    recheck = RecheckOperator(task_id="recheck", profile="default", reconciliation_task_id="compare")
    again = recheck.execute(context(compared=None))

    assert (again["dates"], again["changed"], again["second_opinions_cleared"]) == (3, {"incomplete": 1}, 1)
    told = "2026-11-13 was incomplete and is incomplete now: 1 matched, 0 pending, 0 breaks"
    assert told in capsys.readouterr().out


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("in_vain", [False, True])
def test_the_recheck_asks_about_the_invoices_of_a_cut_date_once_and_not_every_night(
    server: ScriptedServer, store: Connection, profiles: pathlib.Path, in_vain: bool
) -> None:
    profiles.write_text(profiles.read_text().replace(SETTINGS, f"{SETTINGS}, second_opinions: 0"))
    compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread")
    friday = context()
    friday["dag_run"].partition_key = "2026-11-13"
    compare.execute(friday)
    cut = (
        "INSERT INTO ropo.status_poll (profile, kind, filter_value, outcome, closed_at, possibly_cut, absent_count, "
        "shown_complete, completeness) VALUES ('default', 'date', '2026-11-13', 'landed', now(), true, 0, {}, {})"
    )
    if in_vain:
        query(store, cut.format("false", "'it was cut'"))
        query(
            store,
            "INSERT INTO ropo.status_poll (profile, kind, filter_value, outcome, closed_at) "
            "VALUES ('default', 'billnum', '10001', 'empty', now())",
        )
    query(store, cut.format("NULL", "NULL"))

    RecheckOperator(task_id="recheck", profile="default", reconciliation_task_id="compare").execute(context())

    assert [poll.query for poll in server.polls] == ([] if in_vain else [{"billnum": "10001"}])


@pytest.mark.usefixtures("ledger")
def test_a_connection_that_cannot_be_used_costs_the_opinion_and_not_the_comparison(
    connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(host="")
    compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread", scope="full")
    result = compare.execute(context("manual"))
    assert (result["breaks"], result["second_opinions_asked"]) == (1, 0)
    assert "Ropo One is not asked about anything" in capsys.readouterr().out


@pytest.mark.usefixtures("ledger")
def test_no_task_can_write_into_the_ledger_whatever_its_role_may_do() -> None:
    compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread")
    with (
        closing(compare.ledger()) as ledger,
        ledger.cursor() as cursor,
        pytest.raises(psycopg2.errors.ReadOnlySqlTransaction),
    ):
        cursor.execute("DELETE FROM ropo_ledger")


@pytest.mark.usefixtures("ledger")
def test_a_comparison_with_nothing_to_ask_makes_no_http_client() -> None:
    compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread")
    result = compare.execute(context())
    assert (result["population"], result["second_opinions_asked"]) == (0, 0)
    assert compare.recorded_as == result["reconciliation_id"], "its link leads there"
    assert "hook" not in vars(compare), "its import is a good part of a date's time"


@pytest.mark.usefixtures("ledger")
def test_a_date_is_not_compared_on_what_an_earlier_try_of_a_failed_reread_returned(
    store: Connection,
) -> None:
    """Airflow has it still where the second try ended before its process began."""
    query(
        store,
        "INSERT INTO ropo.status_poll (profile, kind, filter_value, outcome, closed_at) "
        "VALUES ('default', 'date', '2026-11-16', 'empty', now())",
    )
    ((poll_id,),) = query(store, "SELECT poll_id FROM ropo.status_poll")
    for state in ("success", "failed"):
        compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread")
        compare.execute(context(reread={"poll_id": poll_id}, reread_state=state))

    assert query(store, "SELECT reread_poll_id FROM ropo.reconciliation ORDER BY 1 NULLS LAST") == [(poll_id,), (None,)]


@pytest.mark.usefixtures("ledger")
def test_an_unknown_scope_is_refused(store: Connection) -> None:
    compare = ReconciliationOperator(task_id="compare", profile="default", reread_task_id="reread", scope="all")
    with pytest.raises(AirflowFailException, match="expected date or full, got 'all'"):
        compare.execute(context())
    assert query(store, "SELECT count(*) FROM ropo.reconciliation") == [(0,)]


class _Ahead(datetime.datetime):
    """The clock of a machine that runs ten years ahead of the store's."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return super().now(tz) + datetime.timedelta(days=3650)


class _Behind(datetime.datetime):
    """The clock of a machine whose store's runs ten years ahead."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return super().now(tz) - datetime.timedelta(days=3650)


@pytest.mark.parametrize(("clock", "age"), [(_Ahead, "3 days"), (_Behind, "90 days")], ids=["worker", "store"])
def test_a_clock_that_runs_ahead_erases_nothing_that_is_young(
    session: Session, store: Connection, profile: Profile, profiles: pathlib.Path, monkeypatch: pytest.MonkeyPatch,
    clock: type[datetime.datetime], age: str,
) -> None:  # fmt: skip
    """Of the worker's and the store's; the age is by the store's."""
    source = ScriptedSource(scripted_page(row(1)), NOTHING)
    Drain(session, source, Journal(profile), max_pages=9, max_seconds=60).run()
    query(store, f"UPDATE ropo.status_event SET statustime = now() - interval '{age}'")
    note_days(store)
    profiles.write_text(profiles.read_text().replace(SETTINGS, f"{SETTINGS}, text_retention_days: 30"))
    texts = EraseTextsOperator(task_id="erase_texts", profile="default")

    monkeypatch.setattr(maintenance, "datetime", clock)
    assert texts.execute(context())["events"] == 0


def test_maintenance_does_what_the_profile_says_and_tells_counts_only(
    session: Session,
    store: Connection,
    profile: Profile,
    profiles: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "Velallinen soitti 040 123"
    comment = row(2, statusid="C2", statustype="comment", statuscode="98", statustext=text, amount="", paydate="")
    source = ScriptedSource(scripted_page(row(1), comment), NOTHING)
    Drain(session, source, Journal(profile), max_pages=9, max_seconds=60).run()
    query(store, "UPDATE ropo.status_page SET received_at = received_at - interval '90 days'")
    query(store, "UPDATE ropo.status_event SET statustime = statustime - interval '90 days'")
    note_days(store)
    pages = RemovePagesOperator(task_id="remove_pages", profile="default")
    texts = EraseTextsOperator(task_id="erase_texts", profile="default")
    for operator in (pages, texts):
        with pytest.raises(AirflowSkipException, match="is 0, so that everything is kept"):
            operator.execute(context())

    profiles.write_text(
        profiles.read_text().replace(SETTINGS, f"{SETTINGS}, page_retention_days: 30, text_retention_days: 30")
    )
    pages = RemovePagesOperator(task_id="remove_pages", profile="default")
    texts = EraseTextsOperator(task_id="erase_texts", profile="default")

    kept = pages.execute(context())
    assert (kept["removed"], kept["kept"]) == (0, 1), "its dates are not reconciled"
    assert texts.execute(context())["events"] == 2
    assert query(store, "SELECT erased_by, note FROM ropo.text_erasure") == [
        ("ropo_reconciliation", "older than 30 days (the_run)")
    ]
    assert query(
        store, "SELECT count(*) FROM ropo.status_event WHERE statustext ~ 'soitti' OR raw::text ~ 'soitti'"
    ) == [(0,)]
    told = capsys.readouterr().out
    assert "texts of 2 events" in told
    assert text not in told
