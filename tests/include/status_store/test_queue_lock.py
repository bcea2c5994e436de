"""One consumer of a queue: one drain at a time, and one profile for good."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.profiles import Profile
from include.status_store.database import connect
from include.status_store.journal import Journal
from include.status_store.queue_lock import PinnedElsewhereError, QueueBusyError, QueueLock, is_quiet, pin
from include.status_store.recovery import Recovery
from include.status_store.reread import Reread
from include.status_store.session import Session
from include.status_store.source import PollRefusedError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import drain, events, execute, outcomes, query
from tests.include.status_store.waiting import others, terminate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg2.extensions import connection as Connection

    from include.status_store.database import Connect
    from include.status_store.journal import Outcome
    from include.status_store.source import Answer
    from local_airflow.embedded import Server

LOCKS = """
SELECT FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def other_session(store_dsn: str) -> Iterator[Session]:
    with Session(lambda: connect(store_dsn)) as session:
        yield session


@pytest.mark.parametrize("cid", [str(number) for number in range(1_000_000, 1_000_008)])
def test_a_lock_is_held_by_the_session_that_took_it(session: Session, other_session: Session, cid: str) -> None:
    """The key is 64 bits with a sign, which pg_locks shows in two halves: several customers see both signs."""
    lock, other = QueueLock(session, ("host", cid)), QueueLock(other_session, ("host", cid))
    lock.acquire()

    with session.transaction() as cursor:
        assert lock.held(cursor)
    with other_session.transaction() as cursor:
        assert not other.held(cursor)
    with pytest.raises(QueueBusyError, match=f"customer {cid} at host"):
        other.acquire()

    lock.release()
    other.acquire()


def test_who_holds_a_queue_of_another_store_on_the_server_is_not_taken_for_this_ones(
    postgres: Server, store_template: str, session: Session, other_session: Session
) -> None:
    queue, elsewhere = ("host", "1"), postgres.fresh_database("elsewhere", template=store_template)
    with Session(lambda: connect(postgres.dsn(elsewhere))) as neighbour:
        QueueLock(neighbour, queue).acquire()
        QueueLock(session, queue).acquire()
        with session.transaction() as cursor:
            cursor.execute("SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            begun = cursor.fetchone()

        with pytest.raises(QueueBusyError) as raised:
            QueueLock(other_session, queue).acquire()

    assert (raised.value.since,) == begun
    postgres.drop_database(elsewhere)


def test_queues_do_not_stand_in_each_others_way(session: Session, other_session: Session) -> None:
    QueueLock(session, ("host", "1")).acquire()
    others = [QueueLock(other_session, queue) for queue in (("host", "2"), ("other", "1"))]

    for lock in others:
        lock.acquire()

    with other_session.transaction() as cursor:
        assert [lock.held(cursor) for lock in others] == [True, True]


def test_a_second_drain_does_not_poll(
    session: Session, other_session: Session, store: Connection, profile: Profile
) -> None:
    second = ScriptedSource(page(row(9)))

    def drain_meanwhile() -> Answer:
        with pytest.raises(QueueBusyError):
            drain(other_session, profile, second)
        return page(row(1))

    drain(session, profile, ScriptedSource(drain_meanwhile))

    assert (second.polls, events(store), outcomes(store)) == ([], ["P1"], ["landed", "empty"])


@pytest.mark.parametrize("end", [EMPTY, ValueError("ours"), KeyboardInterrupt()], ids=["204", "a fault", "a stop"])
def test_a_drain_frees_the_queue_however_it_ends(
    session: Session, store: Connection, profile: Profile, end: Answer | BaseException
) -> None:
    with suppress(ValueError, KeyboardInterrupt):
        drain(session, profile, ScriptedSource(end))

    assert query(store, LOCKS) == []


def test_a_drain_that_lost_its_lock_to_another_lands_its_page_and_stops(
    session: Session, other_session: Session, store: Connection, profile: Profile
) -> None:
    second = ScriptedSource(page(row(2)))

    def lose_it() -> Answer:
        terminate(store, others(store))
        drain(other_session, profile, second)
        return page(row(1))

    first = ScriptedSource(lose_it, page(row(3)))
    summary = drain(session, profile, first)

    assert (summary.stopped_by, len(first.polls)) == ("lock_lost", 1)
    assert events(store) == ["P1", "P2"]
    assert outcomes(store) == ["landed", "landed", "empty"]


class PooledSession(Session):
    """A session through a proxy that pools transactions: after some of them it gives each one another backend.

    :param steady: transactions that still run on the first backend.
    """

    def __init__(self, connect: Connect, *, steady: int) -> None:
        super().__init__(connect)
        self._steady = steady
        self._backends: list[Connection] = []

    @property
    def connection(self) -> Connection:
        self._steady -= 1
        if not self._backends or self._steady < 0:
            self._backends.append(self._connect())
        return self._backends[-1]

    def close(self) -> None:
        for backend in self._backends:
            backend.close()


def test_behind_a_proxy_that_pools_transactions_a_drain_asks_nothing_and_judges_nothing(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    """The lock may be another drain's by then, and so may the poll that is open."""
    source = ScriptedSource(page(row(1)))
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")

    with PooledSession(lambda: connect(store_dsn), steady=1) as pooled:
        summary = drain(pooled, profile, source)

    assert (summary.stopped_by, summary.abandoned, source.polls) == ("lock_lost", 0, [])
    assert outcomes(store) == ["open"]


def test_a_backend_that_changes_in_mid_drain_costs_no_page(store: Connection, store_dsn: str, profile: Profile) -> None:
    source = ScriptedSource(page(row(1)), page(row(2)), page(row(3)))

    with PooledSession(lambda: connect(store_dsn), steady=3) as pooled:  # the lock, the first poll, the first page
        summary = drain(pooled, profile, source)

    assert (summary.stopped_by, len(source.polls)) == ("lock_lost", 2)
    assert (events(store), outcomes(store)) == (["P1", "P2"], ["landed", "landed"])


def test_a_drain_that_waits_for_a_refusing_server_goes_on_only_with_its_lock(
    session: Session, store: Connection, profile: Profile
) -> None:
    def lose_and_refuse() -> Answer:
        terminate(store, others(store))
        raise PollRefusedError("too many", http_status=429, go_on_after=0.0)

    source = ScriptedSource(lose_and_refuse, page(row(1)))
    summary = drain(session, profile, source)

    assert (summary.stopped_by, outcomes(store), len(source.polls)) == ("lock_lost", ["refused"], 1)


def test_who_has_only_just_had_the_answer_to_a_long_poll_is_not_quiet(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource())
    execute(store, "UPDATE ropo.status_poll SET opened_at = opened_at - interval '2 hours'")

    with session.transaction() as cursor:
        assert not is_quiet(cursor, profile.name, None, datetime.timedelta(hours=1))


def test_a_profile_stays_with_its_queue(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource())
    elsewhere = ScriptedSource(page(row(1)), queue=("ropo.example", "2000022"))

    with pytest.raises(
        PinnedElsewhereError, match=r"customer 2000022 at ropo\.example.*'default' pinned to customer 1000011"
    ):
        drain(session, profile, elsewhere)

    assert (elsewhere.polls, outcomes(store), query(store, LOCKS)) == ([], ["empty"], [])


def test_a_queue_has_one_profile(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource())
    same = ScriptedSource(page(row(1)))

    with pytest.raises(
        PinnedElsewhereError, match=r"Profile 'second' would read.*is that profile renamed, name it 'default' again"
    ):
        drain(session, Profile(name="second"), same)

    assert (same.polls, outcomes(store)) == ([], ["empty"])


def test_a_queue_at_a_new_address_says_where_the_way_out_stands(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource())
    moved = ScriptedSource(page(row(1)), queue=("ropo2.example", "1000011"))

    with pytest.raises(PinnedElsewhereError, match=r"moved from ropo\.example for good, see docs/operating\.md"):
        drain(session, profile, moved)
    assert moved.polls == []


@pytest.mark.parametrize("outcome", ["unsent", "refused"])
@pytest.mark.parametrize("mistyped", [("no.such.example", "1000011"), ("ropo.example", "2000022")])
def test_a_pin_under_which_nothing_was_served_gives_way(
    session: Session, store: Connection, profile: Profile, outcome: Outcome, mistyped: tuple[str, str]
) -> None:
    with session.transaction() as cursor:
        pin(cursor, profile.name, mistyped)
        poll_id = Journal(profile).open(cursor, "drain")
        Journal(profile).close(cursor, poll_id, outcome)

    drain(session, profile, ScriptedSource(page(row(1))))
    assert query(store, "SELECT host, cid FROM ropo.profile_pin") == [("ropo.example", "1000011")]
    assert events(store) == ["P1"]


def test_a_queue_that_a_mistyped_number_took_is_given_to_its_own_profile(
    session: Session, store: Connection, profile: Profile
) -> None:
    with session.transaction() as cursor:
        pin(cursor, "other", ("ropo.example", "1000011"))

    drain(session, profile, ScriptedSource(page(row(1))))
    assert query(store, "SELECT profile, cid FROM ropo.profile_pin") == [("default", "1000011")]


def test_a_drain_that_waited_for_a_refusal_stops_where_its_queue_is_another_profiles_by_then(
    session: Session, store: Connection, profile: Profile
) -> None:
    """Nothing was served yet, so that the queue could be given away; what came now would be missing there."""

    def another_profile_asks_by_date() -> Answer:
        with session.another() as beside, beside.transaction() as cursor:
            Journal(profile).close(cursor, 1, "refused")
            pin(cursor, "other", ("ropo.example", "1000011"))
            Journal(msgspec.structs.replace(profile, name="other")).open(cursor, "date", "2026-11-13")
        raise PollRefusedError("busy", http_status=429, go_on_after=0.0)

    source = ScriptedSource(another_profile_asks_by_date, page(row(1)))
    with pytest.raises(PinnedElsewhereError, match="profile 'other' pinned"):
        drain(session, profile, source)

    assert (len(source.polls), events(store)) == (1, [])


@pytest.mark.parametrize("is_in_doubt", [False, True], ids=["under way", "in doubt"])
def test_a_pin_with_a_poll_that_may_have_been_served_stays(
    session: Session, store: Connection, profile: Profile, *, is_in_doubt: bool
) -> None:
    with session.transaction() as cursor:
        pin(cursor, profile.name, ("ropo.example", "1000011"))
        poll_id = Journal(profile).open(cursor, "drain")
        if is_in_doubt:
            Journal(profile).doubt(cursor, poll_id, error="reset")

    with pytest.raises(PinnedElsewhereError), session.transaction() as cursor:
        pin(cursor, profile.name, ("ropo.example", "2000022"))
    assert query(store, "SELECT cid FROM ropo.profile_pin") == [("1000011",)]


REREADS = {
    "by date": lambda reread, _: reread.by_date(datetime.date(2026, 11, 13)),
    "by invoice": lambda reread, _: reread.by_billnum("1"),
    "recovery": lambda _, recovery: recovery.run(),
}


@pytest.mark.parametrize("ask", REREADS.values(), ids=REREADS)
def test_a_reread_of_another_queue_is_refused_too(
    session: Session, store: Connection, profile: Profile, ask: Callable[[Reread, Recovery], object]
) -> None:
    """Another customer's events under a profile could never be told apart again."""
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")
    drain(session, profile, ScriptedSource())
    elsewhere = ScriptedSource(page(row(1)), queue=("ropo.example", "2000022"))
    journal = Journal(profile)

    with pytest.raises(PinnedElsewhereError):
        ask(Reread(session, elsewhere, journal), Recovery(session, elsewhere, journal, max_seconds=60))

    assert (elsewhere.polls, events(store), outcomes(store)) == ([], [], ["in_doubt", "empty"])
