"""The journal of polls, and what of it is settled, told by the store alone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.config.profiles import Profile
from include.page_data import polls
from include.page_data.drain_health import read_drain_health
from include.page_data.polls import is_settled, read_days, read_polls, read_quarantine
from tests.include.reconciliation.world import World
from tests.include.status_store.views import column, execute

if TYPE_CHECKING:
    import pytest
    from psycopg2.extensions import connection as Connection

TODAY = datetime.date(2026, 11, 20)


def at(clock: str, day: datetime.date = TODAY) -> datetime.datetime:
    return datetime.datetime.fromisoformat(f"{day} {clock}+00:00")


def worlds(store_dsn: str) -> tuple[World, World]:
    """A profile and another one; what each begins with lies far before."""
    world, other = (World(store_dsn, "", Profile(name=name)) for name in ("default", "other"))
    return world, other


def landed(world: World, opened: datetime.datetime, new: int, *, kind: str = "drain") -> int:
    number = {} if kind == "drain" else {"filter_value": "2026-11-19"}
    return world.poll(kind, "landed", opened_at=opened, closed_at=opened, new_count=new, **number)


def test_each_day_of_the_markets_has_its_own_profiles_polls_by_how_they_ended(
    store: Connection, store_dsn: str
) -> None:
    world, other = worlds(store_dsn)
    first = TODAY - datetime.timedelta(days=polls.DAYS - 1)
    # Helsinki's midnight is UTC's nine in the evening as long as it is summer there, and then its ten.
    for opened in (at("20:59", first - datetime.timedelta(days=1)), at("21:00", first - datetime.timedelta(days=1))):
        landed(world, opened, 100)
    for new in (1, 2):
        landed(world, at("22:00", TODAY - datetime.timedelta(days=1)), new)
    world.poll("drain", "empty", opened_at=at("10:00"), closed_at=at("10:00"))
    landed(world, at("21:59", TODAY - datetime.timedelta(days=1)), 4)
    landed(other, at("10:00"), 8)
    with store.cursor() as cursor:
        days = read_days(cursor, world.profile, TODAY)
    assert [day.date for day in days] == [first + datetime.timedelta(days=place) for place in range(30)]
    assert [(day.date, day.polls, day.new_count) for day in days if day.polls] == [
        (first, {"landed": 1}, 100),
        (TODAY - datetime.timedelta(days=1), {"landed": 1}, 4),
        (TODAY, {"landed": 2, "empty": 1}, 3),
    ]
    assert days[-1].total == 3


def test_the_journal_goes_on_where_it_was_left_and_ends_with_its_last_poll(
    store: Connection, store_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, other = worlds(store_dsn)
    ids = [world.poll_id, *(landed(world, at("10:00"), 0, kind=kind) for kind in ("drain", "date", "drain"))]
    landed(other, at("10:00"), 0)
    ids.append(world.poll("drain", "empty", opened_at=at("11:00"), closed_at=at("11:00")))
    monkeypatch.setattr(polls, "POLLS_SHOWN", 3)
    pages = []
    below = None
    with store.cursor() as cursor:
        for _ in range(2):
            found, below = read_polls(cursor, "default", kind=None, outcome=None, below=below)
            pages.append(([each.poll_id for each in found], below))
        drained, more = read_polls(cursor, "default", kind="drain", outcome="landed", below=None)
    assert pages == [(ids[:1:-1], ids[2]), (ids[1::-1], None)]
    assert ([each.poll_id for each in drained], more) == ([ids[3], ids[1], ids[0]], None)


def test_what_a_drain_brings_is_its_own_profiles_of_each_of_the_last_24_hours(
    store: Connection, store_dsn: str
) -> None:
    world, other = worlds(store_dsn)
    now = at("12:00")
    before = TODAY - datetime.timedelta(days=1)
    for opened in (at("11:59", before), at("12:00", before), at("12:59", before), at("11:00"), at("11:30")):
        landed(world, opened, 10 + opened.minute)
    landed(world, at("10:00"), 1000, kind="date")
    landed(other, at("11:59"), 1000)
    # It is two in the afternoon by the market's clock: what is said of later lies ahead.
    for clock in ("13:30", "14:30"):
        world.comment("1", "98", f"{TODAY} {clock}")
    other.comment("1", "98", f"{TODAY} 13:59")
    with store.cursor() as cursor:
        health = read_drain_health(cursor, world.profile, now)
    assert health.newest_poll == at("11:30")
    assert health.newest_event == datetime.datetime.combine(TODAY, datetime.time(13, 30))
    assert health.events_by_hour == [10 + 69, *[0] * 22, 10 + 40]
    assert health.events_of_a_day == 129


def test_settled_is_what_a_person_settled_of_this_profile(store: Connection, store_dsn: str) -> None:
    world, other = worlds(store_dsn)
    doubt = {"opened_at": at("10:00"), "closed_at": at("10:00"), "window_to": TODAY, "accepted_by": "Anna"}
    ids = {
        f"{each.profile.name} {recovery}": each.poll("drain", "in_doubt", recovery=recovery, **doubt)
        for each in (world, other)
        for recovery in ("accepted", "recovered")
    }
    for each in (world, world, other):
        each.quarantine(f"{each.numbers}".encode(), at("10:00"))
        each.numbers += 1
    rows = column(store, "SELECT quarantine_id FROM ropo.status_quarantine ORDER BY 1")
    with store.cursor() as cursor:
        waiting = [each.quarantine_id for each in read_quarantine(cursor, "default")]
    execute(store, "UPDATE ropo.status_quarantine SET resolved_at = now(), resolution = 'dismissed by Anna: known'")
    with store.cursor() as cursor:
        accepted = [
            name for name, number in ids.items() if is_settled(cursor, "default", "accepted", number, by="Anna")
        ]
        dismissed = [is_settled(cursor, "default", "dismissed", int(str(number)), by="Anna") for number in rows]
    assert waiting == rows[:2]
    assert accepted == ["default accepted"]
    assert dismissed == [True, True, False]
