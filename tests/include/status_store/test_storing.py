"""The events of a drain's pages are stored beside the polls, each page's once, whatever comes between."""

from __future__ import annotations

import secrets
import threading
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import psycopg2
import pytest

from faults.lossy_proxy import LossyProxy
from include.status_store import batches, page_events, storing
from include.status_store.database import connect
from include.status_store.drain import A_THREAD
from include.status_store.envelope import split_rows
from include.status_store.event_writing import Stored
from include.status_store.journal import Journal
from include.status_store.landing import Page, land
from include.status_store.page_events import NeedsALookError, Parsed, parse_page, store_new_page, store_page
from include.status_store.queue_lock import QueueLock
from include.status_store.replay import replay
from include.status_store.session import Session
from include.status_store.source import PollUnsentError
from include.status_store.storing import MOST_BEHIND, StoredPage, Storing
from tests.include.status_store.scripted_source import DEEP, EMPTY, ScriptedSource, page, row, with_unknown
from tests.include.status_store.views import column, drain, events, execute, outcomes, query
from tests.include.status_store.waiting import meanwhile, terminate, until, waiting_for_a_lock

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.source import Answer

TO_REPLAY = "SELECT poll_id FROM ropo.page_to_replay"
COUNTED = "SELECT new_count FROM ropo.status_poll WHERE outcome = 'landed' ORDER BY poll_id"


def land_alone(session: Session, profile: Profile, answer: Answer) -> Page:
    """What a process leaves that ended between a page's commit and its events."""
    with session.transaction() as cursor:
        poll_id = Journal(profile).open(cursor, "drain")
    landed = Page(poll_id=poll_id, kind="drain", answer=answer, rows=split_rows(answer.body))
    land(session, Journal(profile), landed, QueueLock(session, ScriptedSource().queue), open_next=False)
    return landed


def test_events_are_stored_while_the_next_page_is_asked_for(
    session: Session, store: Connection, profile: Profile
) -> None:
    def when_they_are() -> Answer:
        until(lambda: events(store))
        return EMPTY

    assert drain(session, profile, ScriptedSource(page(row(1)), when_they_are)).new == 1


def test_a_204_is_on_record_only_once_all_events_are_stored(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    with closing(connect(store_dsn)) as blocking:
        with blocking.cursor() as cursor:
            cursor.execute("LOCK TABLE ropo.status_event IN SHARE MODE")

        def let_go() -> None:
            until(lambda: outcomes(store) == ["landed", "open"] and waiting_for_a_lock(store))
            blocking.rollback()

        with meanwhile(let_go):
            drain(session, profile, ScriptedSource(page(row(1))))

    assert (outcomes(store), events(store)) == (["landed", "empty"], ["P1"])


def test_a_page_that_an_earlier_process_left_is_taken_up_before_any_poll(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(row(1), row(2, amount="a lot")))
    assert events(store) == []

    source = ScriptedSource(PollUnsentError("no network"))
    with pytest.raises(PollUnsentError):
        drain(session, profile, source)

    assert (events(store), column(store, COUNTED)) == (["P1"], [1])
    assert column(store, "SELECT error IS NOT NULL FROM ropo.status_quarantine") == [True]
    assert drain(session, profile, ScriptedSource()).taken_up == 0


def test_the_drain_says_how_many_pages_it_took_up(session: Session, profile: Profile) -> None:
    land_alone(session, profile, page(row(1)))
    land_alone(session, profile, page(row(2)))

    summary = drain(session, profile, ScriptedSource(page(row(3))))

    assert (summary.taken_up, summary.pages, summary.new) == (2, 1, 1)


def test_a_page_that_could_not_be_parsed_is_left_for_a_replay(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as fault:
        fault.setattr(page_events, "parse_rows", fail)
        drain(session, profile, ScriptedSource(page(row(1))))

    assert drain(session, profile, ScriptedSource()).taken_up == 0
    assert column(store, TO_REPLAY) == [1]
    assert replay(session, profile).pages == 1


def test_a_page_whose_body_is_damaged_does_not_keep_the_drain_from_its_queue(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(row(1)))
    execute(store, r"UPDATE ropo.status_page SET body = '\x1f8b00'")

    assert drain(session, profile, ScriptedSource(page(row(2)))).new == 1

    assert column(store, "SELECT parse_error FROM ropo.status_page ORDER BY poll_id") == ["EOFError", None]
    assert column(store, TO_REPLAY) == [1]


def test_a_fault_while_events_are_made_ready_costs_no_page(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as fault:
        fault.setattr(batches, "as_lines", fail)
        drain(session, profile, ScriptedSource(page(row(1))))

    assert (outcomes(store), column(store, TO_REPLAY)) == (["landed", "empty"], [1])
    assert replay(session, profile).new == 1


def test_a_page_waits_for_a_replay_only_once_the_queue_was_empty_after_it(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(row(1)))
    assert column(store, TO_REPLAY) == []  # a drain may be at it

    execute(
        store,
        "INSERT INTO ropo.status_poll (profile, kind, outcome, closed_at, window_from) "
        "VALUES ('default', 'drain', 'empty', now(), '2026-01-01')",
    )

    assert column(store, TO_REPLAY) == [1]


def test_two_sessions_that_store_one_page_count_it_once(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    left = land_alone(session, profile, page(row(1), row(2), row(3, amount="a lot")))
    counts = []
    first_has_stored = threading.Event()

    def store_it(other: Session) -> None:
        parsed = parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain")
        with other.transaction() as cursor:
            stored = store_page(cursor, profile, parsed, poll_id=left.poll_id, kind="drain", body=left.answer.body)
            first_has_stored.set()
            until(lambda: other is session or waiting_for_a_lock(store))
        counts.append((stored.new, stored.quarantined) if stored else None)

    def the_other() -> None:
        until(first_has_stored.is_set)
        store_it(session)

    with meanwhile(the_other), Session(lambda: connect(store_dsn)) as first:
        store_it(first)

    assert counts == [(2, 1), (0, 0)]
    assert (column(store, COUNTED), events(store)) == ([2], ["P1", "P2"])
    assert column(store, "SELECT times_seen FROM ropo.status_quarantine") == [1]


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
    assert (column(store, COUNTED), events(store)) == ([1, 1, 1], ["P1", "P2", "P3"])


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


def refuse_events(store: Connection) -> None:
    """Let the store have no room for events, and count how often that was found."""
    execute(store, "CREATE SEQUENCE ropo.refused")
    execute(
        store,
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM nextval('ropo.refused');
            RAISE EXCEPTION USING ERRCODE = 'disk_full';
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

    more = [page(row(number)) for number in range(3, 9)]
    with Session(lambda: connect(store_dsn), patience=1) as session, pytest.raises(psycopg2.errors.DiskFull):
        drain(session, profile, ScriptedSource(page(row(1)), later, *more))

    landed = MOST_BEHIND + 1
    assert outcomes(store) == ["landed"] * landed + ["unsent"]
    execute(store, "DROP TRIGGER full_disk ON ropo.status_event")
    with Session(lambda: connect(store_dsn)) as session:
        assert drain(session, profile, ScriptedSource(*more[landed - 2 :])).taken_up == landed
    assert (events(store), column(store, COUNTED)) == ([f"P{number}" for number in range(1, 9)], [1] * 8)


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

    assert (outcomes(store), column(store, TO_REPLAY)) == (["landed", "empty"], [1])
    execute(store, "DROP TRIGGER full_disk ON ropo.status_event")
    with Session(lambda: connect(store_dsn)) as session:
        assert drain(session, profile, ScriptedSource()).taken_up == 1
    assert (events(store), column(store, TO_REPLAY)) == (["P1"], [])


def test_a_page_of_new_events_that_another_session_stores_meanwhile_counts_once(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    left = land_alone(session, profile, page(row(1), row(2)))
    first_has_stored = threading.Event()

    def take_up() -> None:
        until(first_has_stored.is_set)
        with session.another() as beside, Storing(beside, profile, A_THREAD) as another:
            another.take_up()

    with meanwhile(take_up), Session(lambda: connect(store_dsn)) as first, first.transaction() as cursor:
        parsed = parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain")
        assert isinstance(parsed, Parsed)
        assert store_new_page(cursor, parsed, poll_id=left.poll_id) == Stored(new=2)
        first_has_stored.set()
        until(lambda: waiting_for_a_lock(store))

    assert (column(store, COUNTED), events(store)) == ([2], ["P1", "P2"])


def test_a_page_that_another_session_has_stored_needs_a_look(session: Session, profile: Profile) -> None:
    left = land_alone(session, profile, page(row(1)))
    empty = land_alone(session, profile, page())
    for each in (left, empty):
        parsed = parse_page(each.rows, profile, poll_id=each.poll_id, kind="drain")
        assert isinstance(parsed, Parsed)
        with session.transaction() as cursor:
            store_new_page(cursor, parsed, poll_id=each.poll_id)
        with pytest.raises(NeedsALookError), session.transaction() as cursor:
            store_new_page(cursor, parsed, poll_id=each.poll_id)


def test_the_commit_of_new_events_is_not_waited_for(session: Session, profile: Profile) -> None:
    left = land_alone(session, profile, page(row(1)))
    parsed = parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain")
    assert isinstance(parsed, Parsed)
    with session.transaction() as cursor:
        store_new_page(cursor, parsed, poll_id=left.poll_id)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("off",)


@pytest.mark.parametrize(("wait_for_disk", "expected"), [(True, "on"), (False, "off")])
def test_only_the_commit_of_a_page_that_is_on_disk_is_not_waited_for(
    session: Session, profile: Profile, wait_for_disk: bool, expected: str
) -> None:
    left = land_alone(session, profile, page(row(secrets.randbelow(1000))))
    parsed = parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain")
    with session.transaction() as cursor:
        store_page(cursor, profile, parsed, poll_id=left.poll_id, kind="drain", body=b"", wait_for_disk=wait_for_disk)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == (expected,)
    with session.transaction() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
