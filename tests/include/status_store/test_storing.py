"""The events of a drain's pages are stored beside its polls; what the store does not take waits for the next drain."""

from __future__ import annotations

import secrets
import traceback
from concurrent.futures import Executor, Future
from contextlib import closing, suppress
from functools import cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import psycopg2
import pytest

from faults.lossy_proxy import LossyProxy
from include.status_store import page_events, storing
from include.status_store import replay as replay_module
from include.status_store.database import connect
from include.status_store.drain import A_THREAD, Drain
from include.status_store.event import Stored
from include.status_store.journal import Journal
from include.status_store.page_events import parse_page, store_page
from include.status_store.replay import replay
from include.status_store.session import Session
from include.status_store.source import PollUnsentError
from include.status_store.storing import MOST_BEHIND, StoredPage, Storing
from local_airflow.waiting import until
from tests.include.status_store.scripted_source import DEEP, EMPTY, ScriptedSource, page, row, with_unknown
from tests.include.status_store.views import (
    column,
    drain,
    events,
    execute,
    land_alone,
    new_counts,
    outcomes,
    query,
    to_replay,
)
from tests.include.status_store.waiting import meanwhile, terminate, waiting_for_a_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.source import Answer

Given = ParamSpec("Given")
Came = TypeVar("Came")


def test_events_are_stored_while_the_next_page_is_asked_for(
    session: Session, store: Connection, profile: Profile
) -> None:
    def when_they_are() -> Answer:
        until(lambda: events(store))
        return EMPTY

    assert drain(session, profile, ScriptedSource(page(row(1)), when_they_are)).new == 1


class Asked(Future[Came]):
    """What a work came to, which begins where somebody asks."""

    def __init__(self, work: Callable[[], Came]) -> None:
        super().__init__()
        self._come = cache(work)

    def result(self, timeout: float | None = None) -> Came:
        return self._come()


class WhenAskedFor(Executor):
    """Begins a work only where somebody asks what it came to."""

    def submit(self, work: Callable[Given, Came], /, *given: Given.args, **named: Given.kwargs) -> Future[Came]:
        return Asked(lambda: work(*given, **named))


def test_a_204_is_on_record_only_once_all_events_are_stored(
    session: Session, store: Connection, profile: Profile
) -> None:
    source, journal = ScriptedSource(page(row(1))), Journal(profile)

    Drain(session, source, journal, max_pages=9, max_seconds=60, helper=WhenAskedFor).run()

    assert (outcomes(store), events(store)) == (["landed", "empty"], ["P1"])
    ends_of_both = "SELECT closed_at > parsed_at FROM ropo.status_poll, ropo.status_page WHERE outcome = 'empty'"
    assert column(store, ends_of_both) == [True]


def test_a_page_that_an_earlier_process_left_is_taken_up_before_any_poll(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(row(1), row(2, amount="a lot")))
    assert events(store) == []

    source = ScriptedSource(PollUnsentError("no network"))
    with pytest.raises(PollUnsentError):
        drain(session, profile, source)

    assert (events(store), new_counts(store)) == (["P1"], [1])
    assert column(store, "SELECT error IS NOT NULL FROM ropo.status_quarantine") == [True]
    assert drain(session, profile, ScriptedSource()).taken_up == 0


def test_the_drain_says_how_many_pages_it_took_up(session: Session, profile: Profile) -> None:
    land_alone(session, profile, page(row(1)))
    land_alone(session, profile, page(row(2)))

    summary = drain(session, profile, ScriptedSource(page(row(3))))

    assert (summary.taken_up, summary.pages, summary.new) == (2, 1, 1)


def test_a_connection_lost_while_events_are_stored_costs_nothing_and_not_the_lock(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    with closing(connect(store_dsn)) as blocking:
        with blocking.cursor() as cursor:
            cursor.execute("SELECT FROM ropo.status_event FOR UPDATE")

        def lose_it_while_it_waits() -> None:
            terminate(store, until(lambda: waiting_for_a_lock(store)))
            blocking.rollback()

        with meanwhile(lose_it_while_it_waits):
            summary = drain(session, profile, ScriptedSource(page(row(1, amount="1.00"), row(2)), page(row(3))))

    assert (summary.stopped_by, summary.new, summary.revised) == ("empty", 2, 1)
    assert (new_counts(store), events(store)) == ([1, 1, 1], ["P1", "P2", "P3"])


@pytest.mark.parametrize(("second", "stored"), [("a lot", Stored(new=1, quarantined=1)), ("5.00", Stored(new=2))])
def test_a_lost_answer_to_the_commit_of_events_is_survived(
    store: Connection, store_dsn: str, profile: Profile, second: str, stored: Stored
) -> None:
    with (
        LossyProxy(store_dsn) as proxy,
        Session(lambda: connect(proxy.dsn), patience=30) as session,
        Storing(session, profile, A_THREAD) as beside,
    ):
        left = land_alone(session, profile, page(row(1), row(2, amount=second)))
        proxy.lose_next_commit()
        beside.hand_over(left, beside.parse(left))
        done = beside.finish()

    assert (proxy.lost, done) == (1, [StoredPage(2, stored)])
    counted = query(store, "SELECT new_count, quarantined_count FROM ropo.status_poll")
    assert counted == [(stored.new, stored.quarantined)]
    assert column(store, "SELECT times_seen FROM ropo.status_quarantine") == [1] * stored.quarantined


def test_what_a_reread_brought_between_two_attempts_is_not_counted_as_new(session: Session, profile: Profile) -> None:
    left, again = (land_alone(session, profile, page(row(1), row(2))) for _ in range(2))
    attempt = storing._Attempt(profile, left, parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain"))
    with suppress(ConnectionError), session.transaction() as cursor:
        assert attempt(cursor) == Stored(new=2)
        raise ConnectionError

    with session.transaction() as cursor:
        parsed = parse_page(again.rows, profile, poll_id=again.poll_id, kind="date")
        store_page(cursor, profile, parsed, poll_id=again.poll_id, kind="date", body=again.answer.body)
    attempt.look()

    with session.transaction() as cursor:
        assert attempt(cursor) == Stored()


def refuse_events(store: Connection, condition: str = "disk_full") -> None:
    """Let the store have no room for events, or another condition of PostgreSQL, and count how often that was found."""
    execute(store, "CREATE SEQUENCE ropo.refused")
    execute(
        store,
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('ropo.refused');
            RAISE EXCEPTION USING ERRCODE = '{condition}';
        END
        $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON ropo.status_event FOR EACH ROW EXECUTE FUNCTION refuse();
        """,
    )


def test_where_events_cannot_be_stored_the_drain_fails_and_the_next_takes_them_up(
    store: Connection, store_dsn: str, profile: Profile
) -> None:
    refuse_events(store)

    def later() -> Answer:
        until(lambda: column(store, "SELECT is_called FROM ropo.refused") == [True])
        return page(row(2))

    personal = secrets.token_hex(4)  # so short that PostgreSQL would quote it whole
    more = [page(row(number)) for number in range(3, 9)]
    with Session(lambda: connect(store_dsn), patience=1) as session, pytest.raises(psycopg2.errors.DiskFull) as raised:
        drain(session, profile, ScriptedSource(page(row(1, statustext=personal)), later, *more))

    assert personal not in "".join(traceback.format_exception(raised.value))
    landed = MOST_BEHIND + 1
    assert outcomes(store) == ["landed"] * landed + ["unsent"]
    execute(store, "DROP TRIGGER full_disk ON ropo.status_event")
    with Session(lambda: connect(store_dsn)) as session:
        assert drain(session, profile, ScriptedSource(*more[landed - 2 :])).taken_up == landed
    assert (events(store), new_counts(store)) == ([f"P{number}" for number in range(1, 9)], [1] * 8)


def test_where_the_store_refuses_the_statement_the_page_waits_and_no_row_of_it_is_called_bad(
    session: Session, store: Connection, profile: Profile
) -> None:
    refuse_events(store, "insufficient_privilege")

    summary = drain(session, profile, ScriptedSource(page(row(1), row(2)), page(row(3))))

    assert (summary.new, summary.quarantined, to_replay(store)) == (0, 0, [1, 2])
    execute(store, "DROP TRIGGER full_disk ON ropo.status_event")
    assert replay(session, profile).pages == 2
    assert (events(store), to_replay(store)) == (["P1", "P2", "P3"], [])


def test_what_the_store_refused_the_next_drain_takes_up_before_its_first_poll_as_soon_as_it_takes_it(
    session: Session, store: Connection, profile: Profile
) -> None:
    refuse_events(store, "insufficient_privilege")
    drain(session, profile, ScriptedSource(page(row(1)), page(row(2))))
    assert drain(session, profile, ScriptedSource(page(row(3)))).taken_up == 0
    assert to_replay(store) == [1, 2, 4]
    execute(store, "DROP TRIGGER full_disk ON ropo.status_event")

    with pytest.raises(PollUnsentError):
        drain(session, profile, ScriptedSource(PollUnsentError("no network")))

    assert (events(store), to_replay(store)) == (["P1", "P2", "P3"], [])


def test_a_page_for_which_there_was_no_memory_is_taken_up_by_the_next_drain(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as fault:
        fault.setattr(page_events, "parse_rows", _no_memory)
        drain(session, profile, ScriptedSource(page(row(1))))
    assert (events(store), to_replay(store)) == ([], [1])

    assert drain(session, profile, ScriptedSource()).taken_up == 1

    assert (events(store), to_replay(store)) == (["P1"], [])


def _no_memory(*_: object) -> None:
    raise MemoryError


def test_of_pages_that_still_cannot_be_parsed_a_few_of_each_kind_are_tried_the_oldest_first_and_all_that_can_be(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 5):
        land_alone(session, profile, page(row(number)))
    execute(store, r"UPDATE ropo.status_page SET body = '\x1f8b00', parse_error = 'EOFError' WHERE poll_id <> 3")
    land_alone(session, profile, page(row(5)))
    land_alone(session, profile, page(row(6)))
    execute(store, "UPDATE ropo.status_page SET parse_error = 'MemoryError' WHERE poll_id = 6")
    tried = []

    def replay_page(beside: Session, of: Profile, poll_id: int) -> Stored | None:
        tried.append(poll_id)
        return replay_module.replay_page(beside, of, poll_id)

    monkeypatch.setattr(storing, "MOST_IN_VAIN", 2)
    monkeypatch.setattr(storing, "replay_page", replay_page)

    summary = drain(session, profile, ScriptedSource(page(row(7))))

    assert (tried, summary.taken_up) == ([3, 5, 1, 2, 6], 3)
    assert (events(store), to_replay(store)) == (["P3", "P5", "P6", "P7"], [1, 2, 4])


def test_a_row_beyond_postgresqls_limits_is_quarantined_without_trying_again(
    store: Connection, store_dsn: str, profile: Profile
) -> None:
    """SQLSTATE class 54 is an OperationalError to psycopg2, like a lost connection."""

    def with_a_small_stack() -> Connection:
        connection = connect(store_dsn)
        with connection, connection.cursor() as cursor:
            cursor.execute("SET max_stack_depth = '100kB'")
        return connection

    with Session(with_a_small_stack, patience=0) as session:
        summary = drain(session, profile, ScriptedSource(page(row(1), with_unknown(2, DEEP), row(3))))

    assert (summary.new, summary.quarantined, events(store)) == (2, 1, ["P1", "P3"])


def test_once_a_pages_events_cannot_be_stored_those_behind_it_are_not_tried(
    session: Session, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(*_: object, poll_id: int, **__: object) -> None:
        tried.append(poll_id)
        raise psycopg2.errors.DiskFull

    pages = [land_alone(session, profile, page(row(number))) for number in range(2)]
    monkeypatch.setattr(storing, "store_new_page", refuse)
    with (
        Session(lambda: connect(store_dsn), patience=0) as impatient,
        Storing(impatient, profile, A_THREAD) as beside,
    ):
        for each in pages:
            beside.hand_over(each, beside.parse(each))
        for _ in pages:
            with pytest.raises(psycopg2.errors.DiskFull):
                beside.finish()

    assert tried == [pages[0].poll_id]


def test_no_more_pages_are_asked_for_than_may_wait(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    source = ScriptedSource(*(page(row(number)) for number in range(2 * MOST_BEHIND)))
    asked = []
    with closing(connect(store_dsn)) as blocking:
        with blocking.cursor() as cursor:
            cursor.execute("LOCK TABLE ropo.status_event IN SHARE MODE")

        def let_go() -> None:
            until(lambda: outcomes(store) == ["landed"] * (MOST_BEHIND + 1) + ["open"])
            asked.append(len(source.polls))
            blocking.rollback()

        with meanwhile(let_go):
            summary = drain(session, profile, source)

    assert (asked, summary.new) == ([MOST_BEHIND + 1], 2 * MOST_BEHIND)


def test_a_204_whose_page_could_not_be_stored_is_on_record_and_the_page_waits(
    store: Connection, store_dsn: str, profile: Profile
) -> None:
    refuse_events(store)

    with Session(lambda: connect(store_dsn), patience=1) as session, pytest.raises(psycopg2.errors.DiskFull):
        drain(session, profile, ScriptedSource(page(row(1))))

    assert (outcomes(store), to_replay(store)) == (["landed", "empty"], [1])
    execute(store, "DROP TRIGGER full_disk ON ropo.status_event")
    with Session(lambda: connect(store_dsn)) as session:
        assert drain(session, profile, ScriptedSource()).taken_up == 1
    assert (events(store), to_replay(store)) == (["P1"], [])
