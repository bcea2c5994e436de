"""A store, a ledger and a profile, empty for each test."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest

from include.config.profiles import Profile
from tests.include.reconciliation.month import FIRST
from tests.include.reconciliation.world import LEDGER, World, at

if TYPE_CHECKING:
    from local_airflow.embedded import Server


@pytest.fixture(scope="session")
def world_dsns(postgres: Server, store_template: str) -> tuple[str, str]:
    """A store and a ledger that these tests share; emptying them is quicker than making them."""
    store = postgres.dsn(postgres.fresh_database("world_store", template=store_template))
    ledger = postgres.dsn(postgres.fresh_database("world_ledger"))
    with closing(psycopg2.connect(ledger)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    return store, ledger


@pytest.fixture
def world(world_dsns: tuple[str, str]) -> World:
    """The shared store and ledger, emptied."""
    store, ledger = world_dsns
    empty(store, ledger)
    return World(store, ledger, Profile(name="default"))


def empty(store: str, *ledgers: str) -> None:
    """Empty a store and ledgers, by their DSNs."""
    # What is append-only refuses a TRUNCATE too, but for a superuser who switches its triggers off.
    everything = (
        "SET LOCAL session_replication_role = replica; "
        "TRUNCATE ropo.status_poll, ropo.status_event, ropo.event_day, ropo.reconciliation_item, ropo.break_policy, "
        "ropo.profile_pin, ropo.alert, ropo.task_under_way, ropo.text_erasure RESTART IDENTITY CASCADE"
    )
    for dsn, query in ((store, everything), *((ledger, "TRUNCATE ropo_ledger") for ledger in ledgers)):
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(query)


@pytest.fixture
def march(world: World) -> World:
    """A profile that starts on the last two dates of March, each with a matched invoice."""
    world.profile = msgspec.structs.replace(world.profile, start_date=FIRST)
    world.row("1", "paid", paid="100", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    world.row("2", "paid", paid="100", sent_at=at("2026-03-31 08:00"), changed_at=at("2026-03-31 08:00"))
    world.payment("1", "100", "2026-03-30", seen=at("2026-03-30 09:00"))
    world.payment("2", "100", "2026-03-31", seen=at("2026-03-31 09:00"))
    return world
