"""The operators ask a real HTTP server, keep what comes in a real store, and say what they did in counts."""

from __future__ import annotations

import datetime
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from include.status_store.journal import Journal
from include.status_store.queue_lock import QueueLock
from include.status_store.source import PollRefusedError, PollUnsentError
from ropo_one.exceptions import (
    RopoConnectionInvalidError,
    RopoRequestRefusedError,
    RopoServerError,
    RopoTokenRefusedError,
    RopoTokenUnavailableError,
)
from ropo_one.operators.polling import (
    RopoDoubtRecoveryOperator,
    RopoStatusDrainOperator,
    RopoStatusRereadOperator,
)
from tests.include.status_store.scripted_source import row
from tests.plugins.ropo_one.conftest import APICODE, CID
from tests.plugins.ropo_one.scripted_server import EMPTY, answer, page, then_close

if TYPE_CHECKING:
    from airflow.sdk import Context
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from tests.plugins.ropo_one.conftest import Connect
    from tests.plugins.ropo_one.scripted_server import Peer, ScriptedServer

TEXT = "Velallinen soitti 040 123"


def context(key: str | None = None, **params: object) -> Context:
    return cast(
        "Context",
        {
            "ti": SimpleNamespace(dag_id="a_dag", run_id="a_run"),
            "dag_run": SimpleNamespace(partition_key=key),
            "params": params,
        },
    )


def drain(**bounds: Any) -> RopoStatusDrainOperator:
    return RopoStatusDrainOperator(task_id="drain", profile="default", **bounds)


def reread(date: str | None = None) -> RopoStatusRereadOperator:
    return RopoStatusRereadOperator(task_id="reread", profile="default", date=date)


def query(store: Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def journal(store: Connection) -> list[tuple[Any, ...]]:
    return query(store, "SELECT kind, filter_value, outcome FROM ropo.status_poll ORDER BY poll_id")


def hours_ago(store: Connection, hours: float) -> None:
    """Let all polls of the journal have been that long ago."""
    past = "clock_timestamp() - make_interval(secs => %s)"
    statement = (
        f"UPDATE ropo.status_poll SET opened_at = {past}, closed_at = CASE WHEN outcome <> 'open' THEN {past} END"
    )
    query(store, statement, hours * 3600, hours * 3600)


@pytest.fixture(autouse=True)
def _connections(server: ScriptedServer, connect: Connect, store_connection: str) -> None:
    connect(host=server.url, extra={"connect_timeout": 5, "read_timeout": 5})


@pytest.fixture
def lock(server: ScriptedServer, session: Session) -> QueueLock:
    """The queue's lock, as another drain would hold it."""
    return QueueLock(session, (server.address, CID))


def test_a_drain_keeps_every_page_and_sums_up_in_counts(server: ScriptedServer, store: Connection) -> None:
    server.polls_will_be(page(row(1), row(2)), page(row(3), {"statusid": "no date"}))

    summary = drain().execute(context())

    assert query(store, "SELECT statusid FROM ropo.status_event ORDER BY 1") == [("P1",), ("P2",), ("P3",)]
    assert query(store, "SELECT DISTINCT dag_id, run_id FROM ropo.status_poll") == [("a_dag", "a_run")]
    assert summary["stopped_by"] == "empty"
    counts = {name: value for name, value in summary.items() if name != "stopped_by"}
    assert all(isinstance(value, int | float) for value in counts.values())
    assert (counts["polls"], counts["pages"], counts["rows"], counts["new"], counts["quarantined"]) == (3, 2, 4, 3, 1)
    assert [poll.query for poll in server.polls] == [{}, {}, {}]


def test_a_drain_tells_its_progress_a_page(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    server.polls_will_be(page(row(1)), page(row(2)))
    drain().execute(context())
    told = [line for line in caplog.messages if "a page of" in line]
    assert len(told) == 2
    assert "2 pages" in told[1]
    assert "rows/s" in told[1]


def test_a_drain_leaves_what_is_beyond_its_bounds_to_the_next(server: ScriptedServer, store: Connection) -> None:
    server.polls_will_be(page(row(1)), page(row(2)), page(row(3)))
    assert drain(max_pages=2).execute(context())["stopped_by"] == "pages"
    assert drain(max_seconds=0).execute(context())["stopped_by"] == "time"
    assert drain().execute(context())["stopped_by"] == "empty"
    assert query(store, "SELECT count(*) FROM ropo.status_event") == [(3,)]


def test_a_doubt_ends_a_drain_and_the_recovery_asks_its_dates(server: ScriptedServer, store: Connection) -> None:
    drain().execute(context())  # a first 204, so that the window is a week
    server.polls_will_be(then_close())

    assert drain().execute(context())["in_doubt"] == 1
    polled = len(server.polls)
    summary = RopoDoubtRecoveryOperator(task_id="recover", profile="default").execute(context())

    asked = [poll.query["date"] for poll in server.polls[polled:]]
    assert (len(asked), summary["dates"], len(set(asked))) == (summary["dates"], len(asked), len(asked))
    assert len(asked) >= 8
    assert (summary["recovered"], summary["pending"], summary["unproven"]) == (1, 0, 0)


def test_a_recovery_that_is_refused_says_what_to_do(server: ScriptedServer) -> None:
    server.polls_will_be(then_close(), answer(403))
    drain().execute(context())

    told = (
        r"Profile default: Connection ropo_one_default: .* refused the poll with HTTP 403\. .*accept POLL --not-asked"
    )
    with pytest.raises(AirflowException, match=told):
        RopoDoubtRecoveryOperator(task_id="recover", profile="default").execute(context())


def test_a_drain_that_cannot_ask_names_its_profile_and_what_becomes_of_the_rest(server: ScriptedServer) -> None:
    told = r"^Profile default: Connection ropo_one_default: .*{}.*\. All that came is kept; the next run goes on$"
    server.polls_will_be(answer(403))
    with pytest.raises(RopoRequestRefusedError, match=told.format("refused the poll with HTTP 403")) as refused:
        drain().execute(context())
    assert refused.value.http_status == 403

    server.stop()
    with pytest.raises(RopoTokenUnavailableError, match=told.format("refused")):
        drain().execute(context())


def test_a_recovery_that_gets_no_answer_names_its_profile_the_date_and_what_comes_next(
    server: ScriptedServer, store: Connection
) -> None:
    drain().execute(context())
    server.polls_will_be(then_close(), EMPTY, *[answer(500)] * 3)
    drain().execute(context())

    with pytest.raises(RopoServerError) as failed:
        RopoDoubtRecoveryOperator(task_id="recover", profile="default").execute(context())

    unanswered = [poll.query["date"] for poll in server.polls if "date" in poll.query][-1]
    assert str(failed.value).startswith("Profile default: Connection ropo_one_default: ")
    assert str(failed.value).endswith(
        f"answered HTTP 500. {unanswered} could not be re-read: what a poll in doubt may have lost waits, and the next "
        "run goes on"
    )


@pytest.mark.parametrize("doubt", [False, True])
def test_a_connection_that_is_wrong_is_told_with_the_profile_that_it_is_of(
    server: ScriptedServer, connect: Connect, doubt: bool
) -> None:
    server.polls_will_be(then_close())
    drain().execute(context())
    connect(host="")
    task = RopoDoubtRecoveryOperator(task_id="recover", profile="default") if doubt else drain()
    with pytest.raises(RopoConnectionInvalidError, match=r"^Profile default: Connection ropo_one_default: .*goes on$"):
        task.execute(context())


def test_an_unproven_doubt_turns_the_recovery_red_and_says_what_to_do(
    server: ScriptedServer, store: Connection, session: Session, profile: Profile
) -> None:
    with session.transaction() as cursor:
        poll_id = Journal(profile).open(cursor, "drain")
        Journal(profile).doubt(cursor, poll_id, error="a test")
        cursor.execute("UPDATE ropo.status_poll SET window_from = window_to")
    server.polls_will_be(answer(404))

    told = r"Profile default: 1 poll in doubt .*include\.status_store doubts.*accept POLL --note"
    with pytest.raises(AirflowException, match=told):
        RopoDoubtRecoveryOperator(task_id="recover", profile="default").execute(context())


def test_a_drain_skips_where_another_is_at_work(server: ScriptedServer, store: Connection, lock: QueueLock) -> None:
    drain().execute(context())
    hours_ago(store, 0.9)
    polled = len(server.polls)
    lock.acquire()

    with pytest.raises(AirflowSkipException, match="Profile default: Another drain is reading the queue of customer"):
        drain().execute(context())

    assert len(server.polls) == polled


def test_a_drain_skips_until_the_moment_that_ropo_one_has_named(server: ScriptedServer, store: Connection) -> None:
    server.polls_will_be(answer(429, Retry_After="7200"))
    assert drain().execute(context())["stopped_by"] == "refused"

    with pytest.raises(
        AirflowSkipException, match=r"Profile default: Ropo One has asked \(Retry-After\) not to be polled"
    ):
        drain().execute(context())
    with pytest.raises(PollUnsentError, match=r"Profile default: Ropo One has asked \(Retry-After\) not to be polled"):
        reread("2026-11-13").execute(context())

    assert len(server.polls) == 1


def test_a_drain_that_somebody_ends_keeps_the_page_under_way_and_leaves_no_doubt(
    server: ScriptedServer, store: Connection
) -> None:
    ended = drain()

    def killed(peer: Peer) -> None:
        ended.on_kill()
        peer.send(page(row(1)))

    server.polls_will_be(killed, page(row(2)))

    assert ended.execute(context())["stopped_by"] == "told_to_stop"
    assert query(store, "SELECT outcome FROM ropo.status_poll") == [("landed",)]
    assert query(store, "SELECT statusid FROM ropo.status_event") == [("P1",)]


@pytest.mark.parametrize("polled_before", [True, False])
def test_a_drain_skips_where_another_has_only_just_begun(
    server: ScriptedServer, store: Connection, lock: QueueLock, polled_before: bool
) -> None:
    """It has the lock, and has not come to open its first poll: the first of all, or the first after a pause."""
    if polled_before:
        drain().execute(context())
        hours_ago(store, 48)
    polled = len(server.polls)
    lock.acquire()

    with pytest.raises(AirflowSkipException, match="Profile default: Another drain"):
        drain().execute(context())

    assert len(server.polls) == polled


@pytest.mark.parametrize("polled_before", [True, False])
def test_a_drain_fails_where_the_other_has_held_the_queue_for_an_hour_in_silence(
    store: Connection, lock: QueueLock, monkeypatch: pytest.MonkeyPatch, polled_before: bool
) -> None:
    if polled_before:
        drain().execute(context())
    lock.acquire()
    monkeypatch.setattr("ropo_one.operators.polling.MAX_SKIPPING", datetime.timedelta(0))

    with pytest.raises(AirflowException, match=r"has polled in the last hour.*ropo_store") as failed:
        drain().execute(context())

    assert not isinstance(failed.value, AirflowSkipException)


def test_a_drain_whose_lock_is_lost_keeps_the_page_and_fails(server: ScriptedServer, store: Connection) -> None:
    def lose(peer: Peer) -> None:
        query(
            store,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid IN "
            "(SELECT pid FROM pg_locks WHERE locktype = 'advisory')",
        )
        peer.send(page(row(1)))

    server.polls_will_be(lose, page(row(2)))

    with pytest.raises(AirflowException, match=r"Profile default: the drain lost the queue's lock .* 1 page"):
        drain().execute(context())

    assert query(store, "SELECT statusid FROM ropo.status_event") == [("P1",)]
    assert len(server.polls) == 1


def test_a_refused_token_fails_the_drain_and_names_the_connection(server: ScriptedServer, store: Connection) -> None:
    server.tokens_will_be(answer(400, {"errorId": 1, "errorText": "Unknown"}))
    with pytest.raises(
        RopoTokenRefusedError, match=r"Connection ropo_one_default: .* Check customer number and API code"
    ):
        drain().execute(context())
    assert (server.polls, journal(store)) == ([], [("drain", None, "unsent")])


def test_an_unreachable_host_fails_the_drain_and_names_the_connection(
    server: ScriptedServer, store: Connection
) -> None:
    server.stop()
    with pytest.raises(PollUnsentError, match=rf"Connection ropo_one_default: .*{server.address} failed: .*refused"):
        drain().execute(context())
    assert journal(store) == [("drain", None, "unsent")]


@pytest.mark.parametrize("fields", [{"conn_type": "http"}, {"host": ""}, {"host": "ftp://x"}, {"password": None}])
def test_a_connection_that_is_wrong_is_named_before_anything_is_done(
    server: ScriptedServer, store: Connection, connect: Connect, fields: dict[str, object]
) -> None:
    connect(**{"host": server.url} | fields)
    with pytest.raises(RopoConnectionInvalidError, match="Connection ropo_one_default: "):
        drain().execute(context())
    assert (server.requests, journal(store)) == ([], [])


def test_no_secret_and_no_free_text_reaches_a_log_a_summary_or_the_journal(
    server: ScriptedServer,
    store: Connection,
    store_connection: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    message = row(1, statustext=TEXT, statusref=TEXT)
    echo = answer(403, {"title": f"{APICODE} t0ken-3"})  # the third operator has the third token
    server.polls_will_be(
        page(message, {"statustext": TEXT}), page({**message, "amount": "1"}), EMPTY, page(message), echo
    )

    told = [str(drain().execute(context())), str(reread("2026-11-13").execute(context()))]
    with pytest.raises(PollRefusedError) as refused:
        drain().execute(context())
    told.extend(
        (str(refused.value), caplog.text, *capsys.readouterr(), str(query(store, "SELECT * FROM ropo.status_poll")))
    )

    secrets = (APICODE, "t0ken", store_connection, TEXT, "040 123")
    assert [secret for secret in secrets if secret in "\n".join(told)] == []
    assert "quarantine" in caplog.text
