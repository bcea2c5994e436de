"""What the store holds of an invoice, told by the store alone."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.page_data.invoice import read_invoice
from tests.include.reconciliation.world import World
from tests.include.watch.records import broken, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 3, 10)


@pytest.fixture
def worlds(store_dsn: str) -> tuple[World, World]:
    """What Ropo One says in two profiles; no ledger."""
    world, other = (World(store_dsn, "", Profile(name=name)) for name in ("default", "other"))
    return world, other


def test_rows_without_a_number_are_those_of_the_job_that_the_profiles_own_ledger_named_last(
    store: Connection, worlds: tuple[World, World]
) -> None:
    world, other = worlds
    said = [world.payment(None, "1", jobid=jobid) for jobid in ("EARLIER", "NOW", "OF ITS LEDGER", "OF ITS ROW")]
    other.payment("1", "1", jobid="OF ITS ROW", statusid="of the other")
    for profile, jobid in (("default", "EARLIER"), ("default", "NOW"), ("other", "OF ITS LEDGER")):
        record(store, DATE, "breaks", breaks=(broken("1", "1", jobid=jobid),), profile=profile)
    with store.cursor() as cursor:
        found = read_invoice(cursor, world.profile, "b:1")
    assert [event.statusid for event in found.events] == [said[1]]
