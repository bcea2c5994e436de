"""A store that is full of free texts."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store.attention import dismiss_row
from include.status_store.source import PollInDoubtError
from tests.include.reconciliation.world import LEDGER, World
from tests.include.status_store.erasing import (
    BAD_ROW,
    DATE,
    NOW,
    ROWS,
    SECRET,
    by_date,
    places_of,
)
from tests.include.status_store.scripted_source import ScriptedSource, page
from tests.include.status_store.views import column, drain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from local_airflow.embedded import Server


@pytest.fixture
def world(postgres: Server, store_dsn: str, profile: Profile) -> Iterator[World]:
    """The store beside a ledger that has both invoices."""
    name = postgres.fresh_database("ledger")
    with closing(psycopg2.connect(postgres.dsn(name))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    world = World(store_dsn, postgres.dsn(name), profile)
    world.row("10001", "paid", "96.72", jobid="3000001", paid="96.72")
    world.row("10002", "open", "50.00", jobid="3000002")
    yield world
    postgres.drop_database(name)


@pytest.fixture
def filled(session: Session, store: Connection, world: World, profile: Profile) -> World:
    """A store with texts wherever there can be one: events, revisions, quarantine, answers whole and broken, labels."""
    drain(session, profile, ScriptedSource(page(*ROWS, BAD_ROW)))
    again = [{**ROWS[0], "statustext": f"{SECRET} put right"}, *ROWS[1:], BAD_ROW]
    broken = PollInDoubtError("broke off", http_status=200, body=json.dumps(ROWS).encode()[:150])
    by_date(session, profile, ScriptedSource(broken, page(*again)))
    (quarantine_id,) = column(store, "SELECT quarantine_id FROM ropo.status_quarantine")
    with session.transaction() as cursor:
        dismiss_row(cursor, int(str(quarantine_id)), by="Eero", note="paid elsewhere")
    world.reconcile(DATE, now=NOW)
    assert {"status_event", "status_event_revision", "status_quarantine", "status_page", "reconciliation"} == {
        place.partition(".")[0] for place in places_of(store, SECRET)
    }
    return world
