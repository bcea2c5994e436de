"""Runs beside each other and out of order: of several that saw an invoice the latest view counts."""

from __future__ import annotations

import datetime
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest

from include.reconciliation import break_states
from include.reconciliation import reconcile as module
from include.reconciliation.break_states import commit_with_breaks, work_in
from include.reconciliation.statements import statement
from include.status_store.database import StoreUnavailableError, connect
from tests.include.reconciliation.differing import HOUR, NEXT, OVER, behind, breaks, history, mend, states
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from include.config.profiles import Scope
    from tests.include.reconciliation.world import World

LONG_BEFORE = DAY - datetime.timedelta(days=40)


def _also_of_the_next_day(world: World, *billnums: str) -> None:
    for billnum in billnums:
        world.comment(billnum, "98", "2026-03-11 09:00", seen=at("2026-03-11 10:00"))


def test_an_older_view_undoes_nothing_though_it_is_recorded_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    behind(world)
    behind(world, "2")
    _also_of_the_next_day(world, "1", "2")
    world.reconcile(now=OVER)
    mend(world, "2")
    # The older run has compared, and is held up before it commits; the newer one runs in the meantime.
    with monkeypatch.context() as held:

        def hold(store: Any, profile: Any) -> None:
            held.undo()
            mend(world, "1")
            world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100 WHERE billnum = '2'")
            world.reconcile(NEXT, now=OVER + HOUR)
            commit_with_breaks(store, profile)

        held.setattr(module, "commit_with_breaks", hold)
        older = world.reconcile(now=OVER + HOUR)
    assert {key: item["category"] for key, item in world.items(older).items()} == {
        "b:1": "ledger_behind", "b:2": "matched",
    }  # fmt: skip
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("b:2", "ledger_behind", "open")]
    assert history(world, "b:2") == [("opened", None)]


def test_an_older_view_opens_nothing_that_a_newer_one_found_right(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(world)
    _also_of_the_next_day(world, "1")
    with monkeypatch.context() as held:

        def hold(store: Any, profile: Any) -> None:
            held.undo()
            mend(world)
            world.reconcile(NEXT, now=OVER)
            commit_with_breaks(store, profile)

        held.setattr(module, "commit_with_breaks", hold)
        assert world.reconcile(now=OVER).breaks == 1
    assert breaks(world) == []


def test_a_full_comparison_makes_no_break_older_though_a_newer_view_was_recorded_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(world)
    with monkeypatch.context() as held:

        def hold(store: Any, profile: Any) -> None:
            held.undo()
            world.reconcile(now=OVER)
            commit_with_breaks(store, profile)

        held.setattr(module, "commit_with_breaks", hold)
        world.reconcile(LONG_BEFORE, now=OVER, scope="full")
    [found] = breaks(world)
    assert (found["business_date"], found["times_seen"]) == (DAY, 2)


@pytest.mark.parametrize(("day", "scope", "is_of"), [(DAY, "date", DAY), (NEXT, "full", LONG_BEFORE)])
def test_of_a_comparison_that_waits_to_be_worked_in_and_a_full_one_after_it_a_date_gives_the_age_or_the_earlier_one(
    world: World, monkeypatch: pytest.MonkeyPatch, day: datetime.date, scope: Scope, is_of: datetime.date
) -> None:
    """Where it is the ledger that made the difference, and not what Ropo One said on a date."""
    world.profile = msgspec.structs.replace(world.profile, grace_business_days=0)
    world.comment("1", "98")
    world.row("1", "paid", paid="100")
    with monkeypatch.context() as held:
        held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(day, now=OVER, scope=scope)
    world.reconcile(LONG_BEFORE, now=OVER, scope="full")
    [found] = breaks(world)
    assert found["business_date"] == is_of


def test_of_the_same_two_another_difference_of_a_mended_invoice_is_of_the_date(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.profile = msgspec.structs.replace(world.profile, grace_business_days=0)
    world.comment("1", "98")
    world.comment("1", "98", "2026-03-05 09:00")
    world.row("1", "paid", paid="100")
    world.reconcile(DAY - datetime.timedelta(days=5), now=at("2026-03-07 08:00"))
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100")
    world.reconcile(DAY - datetime.timedelta(days=5), now=at("2026-03-09 08:00"))
    assert states(world) == [("b:1", "ledger_ahead", "resolved")]
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    with monkeypatch.context() as held:
        held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(now=OVER)
    world.reconcile(LONG_BEFORE, now=OVER, scope="full")
    assert [(found["state"], found["business_date"]) for found in breaks(world)] == [("open", DAY)]


@pytest.mark.parametrize("are_worked_in_together", [False, True])
@pytest.mark.parametrize("change", [None, "in another category", "no more within its grace"])
def test_what_an_older_view_has_seen_too_is_the_same_break_where_it_was_one_and_of_its_category(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str | None, *, are_worked_in_together: bool
) -> None:
    behind(world)
    _also_of_the_next_day(world, "1")
    profile = world.profile
    if change == "no more within its grace":
        world.reconcile(NEXT, now=OVER)
        profile = msgspec.structs.replace(profile, grace_business_days=20)
    with monkeypatch.context() as held:

        def hold(store: Any, profile: Any) -> None:
            held.undo()
            if change == "in another category":
                world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 60, discount = 40, open = 0")
            with monkeypatch.context() as newer:
                if are_worked_in_together:
                    newer.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
                world.reconcile(NEXT, now=OVER + HOUR)
            commit_with_breaks(store, profile)

        held.setattr(module, "commit_with_breaks", hold)
        world.reconcile(now=OVER, profile=profile)
    [found] = breaks(world)
    seen = (found["business_date"], found["first_seen"], found["last_seen"], found["times_seen"])
    expected = {
        None: (DAY, OVER, OVER + HOUR, 2),
        "in another category": (NEXT, OVER + HOUR, OVER + HOUR, 1),
        "no more within its grace": (NEXT, OVER, OVER + HOUR, 2),
    }
    assert seen == expected[change]


def test_of_several_older_views_that_come_late_the_earliest_date_and_the_first_and_last_moments_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(world)
    before = DAY - datetime.timedelta(days=1)
    for day in (before, NEXT):
        world.comment("1", "98", f"{day} 09:00", seen=at(f"{day} 10:00"))
    later = [(DAY, OVER + 2 * HOUR), (NEXT, OVER + HOUR)]

    def hold(store: Any, profile: Any) -> None:
        if later:
            day, now = later.pop(0)
            world.reconcile(day, now=now)
            store.commit()
        else:
            commit_with_breaks(store, profile)

    monkeypatch.setattr(module, "commit_with_breaks", hold)
    world.reconcile(before, now=OVER)
    assert [(found["business_date"], found["times_seen"]) for found in breaks(world)] == [(NEXT, 1)]
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        work_in(cursor, world.profile)
    [found] = breaks(world)
    assert (found["business_date"], found["times_seen"]) == (before, 3)
    assert (found["first_seen"], found["last_seen"]) == (OVER, OVER + 2 * HOUR)


def test_a_view_is_not_late_for_a_newer_one_that_waits_to_be_worked_in_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(world)
    _also_of_the_next_day(world, "1")

    def recorded_meanwhile(name: str) -> str:
        monkeypatch.undo()
        with monkeypatch.context() as held:
            held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
            world.reconcile(NEXT, now=OVER)
        return statement(name)

    # After the older run has taken what waits, and before it looks at what it shows.
    monkeypatch.setattr(
        break_states, "statement", lambda name: statement(name) if name == "break_policy" else recorded_meanwhile(name)
    )
    world.reconcile(now=OVER)
    assert [(found["business_date"], found["times_seen"]) for found in breaks(world)] == [(DAY, 1)]

    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        work_in(cursor, world.profile)
    assert [(found["business_date"], found["times_seen"]) for found in breaks(world)] == [(DAY, 2)]


def test_a_view_of_an_empty_ledger_makes_none_before_it_late(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    behind(world)
    _also_of_the_next_day(world, "1")
    with monkeypatch.context() as held:
        held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(now=OVER)
    world.ledger("DELETE FROM ropo_ledger")
    world.reconcile(NEXT, now=OVER)
    assert [(found["business_date"], found["times_seen"]) for found in breaks(world)] == [(DAY, 1)]


def test_a_clock_that_was_set_back_does_not_stop_the_breaks(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.store("UPDATE ropo.reconciliation SET view_at = now() + interval '1 day'")
    mend(world)
    world.reconcile(now=OVER + HOUR)
    assert states(world) == [("b:1", "ledger_behind", "resolved")]


def test_where_a_run_dies_between_its_two_commits_the_next_one_works_in_what_waits(world: World) -> None:
    behind(world)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            world.reconcile(now=OVER)
        except BaseException as error:  # noqa: BLE001 - shown below
            ended.append(error)

    thread = threading.Thread(target=run)
    # Another writer holds the profile's breaks: the run has committed its reconciliation, and waits; then it is killed.
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        work_in(cursor, world.profile)
        thread.start()
        killed = (
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while thread.is_alive() and world.store(killed) == [(0,)]:
            thread.join(timeout=0.05)
        thread.join(timeout=240)
    assert [isinstance(error, StoreUnavailableError) for error in ended] == [True]
    assert world.store("SELECT breaks FROM ropo.reconciliation") == [(1,)]
    assert (breaks(world), world.store("SELECT count(*) FROM ropo.break_backlog")) == ([], [(1,)])

    world.payment("2", "1")
    world.row("2")
    world.reconcile(now=OVER + HOUR)
    assert sorted(states(world)) == [("b:1", "ledger_behind", "open"), ("b:2", "ledger_behind", "open")]
    assert {found["invoice_key"]: found["times_seen"] for found in breaks(world)} == {"b:1": 2, "b:2": 1}
    assert world.store("SELECT count(*) FROM ropo.break_backlog") == [(0,)]


def test_many_runs_of_many_dates_at_once_give_each_break_once(world: World) -> None:
    dates = [DAY - datetime.timedelta(days=number) for number in range(4)]
    for number in range(30):
        behind(world, str(number))
        for date in dates:
            world.comment(str(number), "98", f"{date} 09:00")
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(date: datetime.date) -> None:
        try:
            barrier.wait(timeout=60)
            world.reconcile(date, now=OVER)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(date,)) for date in dates * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert failures == []
    assert len(breaks(world)) == 30
    assert {(found["state"], found["business_date"], found["times_seen"]) for found in breaks(world)} == {
        ("open", dates[-1], 8)
    }
    assert world.store("SELECT count(*) FROM ropo.reconciliation_break_event") == [(30,)]
    assert world.store("SELECT count(*) FROM ropo.break_backlog") == [(0,)]


def test_one_writer_at_a_time_and_only_of_the_same_profile(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    other = msgspec.structs.replace(world.profile, name="other")
    with closing(connect(world.store_dsn)) as first, closing(connect(world.store_dsn)) as second:
        with first.cursor() as cursor:
            work_in(cursor, world.profile)
        with second.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            work_in(cursor, other)
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                work_in(cursor, world.profile)
