"""What is told of a profile is told of it alone, whatever became of another one with the same invoice numbers."""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest

from include.config.profiles import Profile
from include.status_store.database import connect
from include.status_store.session import Session
from include.watch.consumer import OtherConsumer
from include.watch.failed import FailedTasks
from include.watch.measures import measure
from include.watch.missing import MissingVerdicts, work_began
from include.watch.missing_full import MissingFull
from include.watch.queue import NotEmptied, OldDoubts
from include.watch.signed import ChangedPeriods
from include.watch.verdicts import RedVerdicts
from tests.include.reconciliation.life import ONE, books, live, settings, trouble
from tests.include.reconciliation.month import APRIL, HOUR, NOW, run
from tests.include.reconciliation.world import LEDGER, World, at
from tests.include.watch.records import told

if TYPE_CHECKING:
    from local_airflow.embedded import Server

LATER = NOW + 5 * HOUR
APRILS_END, IN_MAY = datetime.date(2026, 4, 30), at("2026-05-08 08:00")


@pytest.fixture(scope="module")
def worlds(postgres: Server, store_template: str) -> tuple[World, World]:
    """A profile that has lived and has all troubles there are; and another one, yet unborn, in the same store."""
    store = postgres.dsn(postgres.fresh_database("store", template=store_template))
    ledgers = [postgres.dsn(postgres.fresh_database("ledger")) for _ in range(2)]
    for ledger in ledgers:
        with closing(psycopg2.connect(ledger)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(LEDGER)
    world = World(store, ledgers[0], settings(Profile(name="default"), "default"))
    for _ in live(world):
        pass
    trouble(world)
    return world, World(store, ledgers[1], settings(Profile(name="other"), "other"))


def _told(world: World) -> list[object]:
    """What every topic finds and tells, and what is measured. What it notes of being told is forgotten."""
    lenient = msgspec.structs.replace(world.profile, fail_on=("breaks", "incomplete", "pending"), recheck_days=60)
    topics = [
        *(kind(world.profile, LATER) for kind in (OldDoubts, NotEmptied, OtherConsumer, ChangedPeriods, FailedTasks)),
        MissingVerdicts(world.profile, LATER),
        MissingFull(world.profile, IN_MAY),
        RedVerdicts(lenient, LATER),
        RedVerdicts(lenient, LATER, scope="full"),
    ]
    with Session(lambda: connect(world.store_dsn), patience=30) as session, session.transaction() as cursor:
        found = [topic.found(cursor) for topic in topics]
        said = [topic.describe(cursor, sorted(each)) for topic, each in zip(topics, found, strict=True) if each]
        measured = measure(cursor, world.profile, now=LATER, dag_id="ropo_status_drain", run_id="run 1")
        began = work_began(cursor, [world.profile])
        cursor.connection.rollback()
    return [*found, *said, measured, began]


def test_what_another_profile_lives_through_changes_nothing_of_what_is_told(worlds: tuple[World, World]) -> None:
    world, other = worlds
    before = _told(world)
    assert [bool(found) for found in before[:9]] == [True] * 9

    for _ in live(other):
        pass
    trouble(other, LATER)
    # A date of which the world has no verdict.
    run(other, APRIL + ONE, now=LATER)
    # A month of which it has no full comparison.
    run(other, APRILS_END, now=IN_MAY, scope="full")

    assert _told(world) == before


def test_telling_of_a_profile_leaves_what_was_told_of_another_as_it_was(worlds: tuple[World, World]) -> None:
    world, other = worlds
    with Session(lambda: connect(world.store_dsn), patience=30) as session:
        told(session, OldDoubts(other.profile, LATER))
        kept = books(other)
        told(session, OldDoubts(world.profile, LATER))
        told(session, OldDoubts(msgspec.structs.replace(world.profile, name="third"), LATER))
    assert books(other) == kept
