"""A page's events are stored once, whichever session does it; a page that cannot be parsed is left for a replay."""

from __future__ import annotations

import secrets
import threading
from typing import TYPE_CHECKING

import pytest

from include.status_store import batches, page_events
from include.status_store.database import connect
from include.status_store.drain import A_THREAD
from include.status_store.event import Stored
from include.status_store.page_events import NeedsALookError, Parsed, parse_page, store_new_page, store_page
from include.status_store.replay import replay
from include.status_store.session import Session
from include.status_store.storing import Storing
from local_airflow.waiting import until
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import (
    column,
    drain,
    events,
    execute,
    land_alone,
    new_counts,
    outcomes,
    to_replay,
)
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile


def test_a_page_that_could_not_be_parsed_is_left_for_a_replay(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as fault:
        fault.setattr(page_events, "parse_rows", fail)
        drain(session, profile, ScriptedSource(page(row(1))))

    assert to_replay(store) == [1]
    assert replay(session, profile).pages == 1


def test_a_page_whose_body_is_damaged_does_not_keep_the_drain_from_its_queue(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(row(1)))
    execute(store, r"UPDATE ropo.status_page SET body = '\x1f8b00'")

    assert drain(session, profile, ScriptedSource(page(row(2)))).new == 1

    assert column(store, "SELECT parse_error FROM ropo.status_page ORDER BY poll_id") == ["EOFError", None]
    assert to_replay(store) == [1]
    again = drain(session, profile, ScriptedSource(page(row(3))))
    assert (again.taken_up, again.new, to_replay(store)) == (0, 1, [1])


def test_a_fault_while_events_are_made_ready_costs_no_page(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError

    with monkeypatch.context() as fault:
        fault.setattr(batches, "as_lines", fail)
        drain(session, profile, ScriptedSource(page(row(1))))

    assert (outcomes(store), to_replay(store)) == (["landed", "empty"], [1])
    assert replay(session, profile).new == 1


def test_a_page_waits_for_a_replay_only_once_the_queue_was_empty_after_it(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(row(1)))
    assert to_replay(store) == []  # a drain may be at it

    execute(
        store,
        "INSERT INTO ropo.status_poll (profile, kind, outcome, closed_at, window_from) "
        "VALUES ('default', 'drain', 'empty', now(), '2026-01-01')",
    )

    assert to_replay(store) == [1]


def test_two_sessions_that_store_one_page_count_it_once(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    left = land_alone(session, profile, page(row(1), row(2), row(3, amount="a lot")))
    counts = {}
    first_has_stored = threading.Event()

    def store_it(other: Session) -> None:
        parsed = parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain")
        with other.transaction() as cursor:
            stored = store_page(cursor, profile, parsed, poll_id=left.poll_id, kind="drain", body=left.answer.body)
            first_has_stored.set()
            until(lambda: other is session or waiting_for_a_lock(store))
        counts[other is session] = (stored.new, stored.quarantined) if stored else None

    def the_other() -> None:
        until(first_has_stored.is_set)
        store_it(session)

    with meanwhile(the_other), Session(lambda: connect(store_dsn)) as first:
        store_it(first)

    assert counts == {False: (2, 1), True: (0, 0)}
    assert (new_counts(store), events(store)) == ([2], ["P1", "P2"])
    assert column(store, "SELECT times_seen FROM ropo.status_quarantine") == [1]


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
        assert store_new_page(cursor, profile, parsed, poll_id=left.poll_id) == Stored(new=2)
        first_has_stored.set()
        until(lambda: waiting_for_a_lock(store))

    assert (new_counts(store), events(store)) == ([2], ["P1", "P2"])


def test_a_page_that_another_session_has_stored_needs_a_look(session: Session, profile: Profile) -> None:
    left = land_alone(session, profile, page(row(1)))
    empty = land_alone(session, profile, page())
    for each in (left, empty):
        parsed = parse_page(each.rows, profile, poll_id=each.poll_id, kind="drain")
        assert isinstance(parsed, Parsed)
        with session.transaction() as cursor:
            store_new_page(cursor, profile, parsed, poll_id=each.poll_id)
        with pytest.raises(NeedsALookError), session.transaction() as cursor:
            store_new_page(cursor, profile, parsed, poll_id=each.poll_id)


def test_the_commit_of_new_events_is_not_waited_for(session: Session, profile: Profile) -> None:
    left = land_alone(session, profile, page(row(1)))
    parsed = parse_page(left.rows, profile, poll_id=left.poll_id, kind="drain")
    assert isinstance(parsed, Parsed)
    with session.transaction() as cursor:
        store_new_page(cursor, profile, parsed, poll_id=left.poll_id)
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
