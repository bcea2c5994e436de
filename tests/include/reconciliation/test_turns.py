"""Comparisons of one date come one after the other."""

from __future__ import annotations

import datetime
import logging
import threading
from contextlib import ExitStack, closing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, cast

import psycopg2
import pytest
from psycopg2.errors import DeadlockDetected, SerializationFailure

from include.reconciliation import turns
from include.reconciliation.turns import ATTEMPTS, NoTurnError, Turn, in_turn
from include.status_store.database import StoreUnavailableError, connect
from local_airflow.waiting import until
from tests.include.reconciliation.differing import HOUR, OVER, behind
from tests.include.reconciliation.world import DAY
from tests.include.status_store.waiting import meanwhile, terminate, waiting_for_a_lock

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from tests.include.reconciliation.world import World

THE_NEXT = DAY + datetime.timedelta(days=1)
LOCKS = """
SELECT FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def _differing(world: World, dates: list[datetime.date]) -> None:
    for number in range(10):
        behind(world, str(number))
        for date in dates:
            world.comment(str(number), "98", f"{date} 09:00")


@pytest.mark.parametrize("error", [SerializationFailure, DeadlockDetected])
def test_one_that_others_come_before_is_made_again(error: type[psycopg2.Error]) -> None:
    lost = iter(range(ATTEMPTS - 1))

    def work() -> str:
        for _ in lost:
            raise error
        return "done"

    assert in_turn(work, "Profile default, 2026-03-10") == "done"


def test_one_that_never_comes_first_says_whose_turn_it_was_and_what_to_do() -> None:
    def work() -> None:
        raise SerializationFailure

    with pytest.raises(NoTurnError, match=r"^Profile default, 2026-03-10: .* first 10 times.*run it again"):
        in_turn(work, "Profile default, 2026-03-10")


def test_any_other_error_is_nobodys_turn() -> None:
    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_turn(work, "Profile default, 2026-03-10")


def test_a_recheck_of_many_dates_comes_to_its_turn_beside_comparisons_that_never_pause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    dates = [DAY - datetime.timedelta(days=number) for number in range(24)]
    _differing(world, dates)
    for date in dates:
        world.reconcile(date, now=OVER)
    done, ended = count(), threading.Event()
    made: list[int] = []

    def backfill(first: int) -> None:
        for number in count(first):
            if ended.is_set():
                return
            world.reconcile(dates[number % len(dates)], now=OVER)
            made.append(next(done))

    with ExitStack() as beside, caplog.at_level(logging.INFO, "include.reconciliation.turns"):
        for worker in range(6):
            beside.enter_context(meanwhile(partial(backfill, 4 * worker)))
        beside.callback(ended.set)
        until(lambda: len(made) > 6)
        assert world.recheck(THE_NEXT, now=OVER + HOUR).dates == len(dates)

    assert caplog.messages == []  # none was made in vain
    assert world.store(LOCKS) == []


def test_sixteen_comparisons_of_one_date_at_once_are_all_recorded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _differing(world, [DAY])
    barrier = threading.Barrier(16)

    def run() -> None:
        barrier.wait(60)
        world.reconcile(now=OVER)

    with ExitStack() as beside, caplog.at_level(logging.INFO, "include.reconciliation.turns"):
        for _ in range(16):
            beside.enter_context(meanwhile(run))

    assert caplog.messages == []
    assert len(world.verdicts()) == 16


def test_other_dates_other_scopes_and_other_profiles_do_not_wait(world: World) -> None:
    with closing(connect(world.store_dsn)) as store:
        Turn(store, "one", profile="default", scope="date", date=DAY).do(
            lambda: (
                world.reconcile(DAY - datetime.timedelta(days=1), now=OVER),
                world.reconcile(now=OVER, scope="full"),
            )
        )
        Turn(store, "many", profile="default", scope="date").do(lambda: world.reconcile(now=OVER, scope="full"))
        Turn(store, "another's", profile="other", scope="date").do(lambda: world.reconcile(now=OVER))
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(4,)]


@pytest.mark.parametrize("first", [DAY, None])
def test_the_turn_of_many_dates_and_that_of_one_of_them_wait_for_each_other(
    world: World, first: datetime.date | None
) -> None:
    second = None if first else DAY
    order: list[str] = []
    with closing(connect(world.store_dsn)) as one, closing(connect(world.store_dsn)) as other, ExitStack() as beside:

        def work() -> None:
            turn = Turn(other, "second", profile="default", scope="date", date=second)
            beside.enter_context(meanwhile(lambda: turn.do(lambda: order.append("second"))))
            with closing(connect(world.store_dsn)) as looking:
                looking.autocommit = True
                until(lambda: waiting_for_a_lock(looking))
            order.append("first")

        Turn(one, "first", profile="default", scope="date", date=first).do(work)
    assert order == ["first", "second"]
    assert world.store(LOCKS) == []


def test_the_turn_of_a_process_that_dies_passes_on(world: World) -> None:
    with closing(connect(world.store_dsn)) as store, closing(connect(world.store_dsn)) as looking:
        looking.autocommit = True

        def die() -> None:
            terminate(looking, [store.info.backend_pid])
            with store.cursor() as cursor:
                cursor.execute("SELECT")

        with pytest.raises(psycopg2.OperationalError):
            Turn(store, "one", profile="default", scope="date", date=DAY).do(die)
        assert world.reconcile(now=OVER).business_date == DAY


@pytest.mark.parametrize("date", [DAY, None], ids=["of one date", "of many"])
def test_a_turn_is_not_waited_for_without_an_end(
    world: World, monkeypatch: pytest.MonkeyPatch, date: datetime.date | None
) -> None:
    for name in ("_TAKE", "_TAKE_ALL"):
        monkeypatch.setattr(turns, name, getattr(turns, name).replace("'1h'", "'50ms'"))
    with closing(connect(world.store_dsn)) as store, closing(connect(world.store_dsn)) as other:
        first = Turn(store, "first", profile="default", scope="date", date=DAY)
        second = Turn(other, "Profile default, 2026-03-10", profile="default", scope="date", date=date)

        def wait() -> None:
            with pytest.raises(StoreUnavailableError, match=r"^Profile default, 2026-03-10: the store gave"):
                second.do(lambda: None)

        first.do(wait)
    assert world.store(LOCKS) == []


def test_behind_a_pooler_that_hands_out_backends_no_lock_is_left_with_one_of_them(world: World) -> None:
    """The backend that libpq was told of at the beginning is none of the store's."""
    with closing(connect(world.store_dsn)) as store:

        class Pooled:
            info = type("Info", (), {"backend_pid": 0})

            def __getattr__(self, name: str) -> object:
                return getattr(store, name)

        for date in (DAY, None):
            # All that it is asked for beyond a connection's own is who its backend is.
            turn = Turn(cast("Connection", Pooled()), "one", profile="default", scope="date", date=date)
            assert turn.do(lambda: world.store(LOCKS)) == []
