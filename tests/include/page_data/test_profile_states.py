"""Several profiles at once: each by the rules of its own overview, in as many statements as one takes."""

from __future__ import annotations

import datetime
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2.extensions
import pytest

from include.config.profiles import Profile
from include.page_data.profile_states import read_states
from include.status_store.database import connect
from tests.include.page_data.test_plans import nodes
from tests.include.reconciliation.month import HOUR, NOW
from tests.include.watch.records import record
from tests.include.watch.test_two_profiles import worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.page_data.profile_states import ProfileState
    from local_airflow.embedded import Server
    from tests.include.reconciliation.world import World

__all__ = ["worlds"]
MANY = Path(__file__).with_name("many_profiles.sql").read_text(encoding="utf-8")
# The tables that have many rows there.
FILLED = {"reconciliation", "reconciliation_break", "status_poll", "period_sign_off_flag"}


class Explaining(psycopg2.extensions.cursor):
    """Keeps the plan of each statement that it runs."""

    plans: list[dict[str, Any]]

    def execute(self, query: Any, parameters: Any = None) -> None:
        super().execute(f"EXPLAIN (FORMAT JSON) {query}", parameters)
        ((((top,)),),) = self.fetchall()
        self.plans.append(top["Plan"])
        super().execute(query, parameters)


@pytest.fixture(scope="module")
def many(postgres: Server, store_template: str) -> Iterator[Connection]:
    """A store with sixty profiles, large enough that PostgreSQL has reason to use indexes."""
    name = postgres.fresh_database("many", template=store_template)
    with closing(connect(postgres.dsn(name))) as store:
        store.autocommit = True
        with store.cursor() as cursor:
            cursor.execute(MANY)
            cursor.execute("VACUUM ANALYZE")
        yield store
    postgres.drop_database(name)


def profiles(*numbers: int) -> list[Profile]:
    zones = ("Europe/Helsinki", "Europe/Stockholm", "Europe/Oslo")
    start = datetime.date(2026, 1, 1)
    return [Profile(name=f"p{each}", timezone=zones[each % 3], start_date=start) for each in numbers]


def explained(store: Connection, asked: list[Profile]) -> tuple[list[ProfileState], list[dict[str, Any]]]:
    with store.cursor(cursor_factory=Explaining) as cursor:
        cursor.plans = []
        return read_states(cursor, asked, datetime.datetime(2026, 11, 25, 8, tzinfo=datetime.UTC)), cursor.plans


def _read_whole(plans: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for plan in plans for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


@pytest.mark.parametrize("number", [1, 60])
def test_it_takes_a_handful_of_statements_however_many_profiles_that_read_by_indexes(
    many: Connection, number: int
) -> None:
    states, plans = explained(many, profiles(*range(1, number + 1)))
    assert {(each.dates, each.months, each.latest is None, each.caveat) for each in states} == {(1, 0, False, None)}
    assert len(plans) == 10
    assert _read_whole(plans) & FILLED == set()
    every = [node for plan in plans for node in nodes(plan)]
    assert {
        ("reconciliation_latest", "Index Only Scan"),
        ("reconciliation_newest", "Index Scan"),
        ("status_poll_empty", "Index Scan"),
        ("status_poll_by_time", "Index Scan"),
    } <= {(node["Index Name"], node["Node Type"]) for node in every if "Index Name" in node}
    assert "period_sign_off_flag_of_sign_off" in {node.get("Index Name") for node in every}


def test_a_profile_of_which_nothing_is_known_goes_through_no_others_rows(many: Connection) -> None:
    (state,), plans = explained(many, [Profile(name="unborn")])
    assert (state.latest, state.caveat, state.needs_somebody) == (None, "nothing_compared", True)
    assert _read_whole(plans) & FILLED == set()
    # By the ids of all reconciliations it would have gone through them all.
    assert "reconciliation_newest" in {node.get("Index Name") for plan in plans for node in nodes(plan)}


def test_all_together_say_what_each_says_alone(worlds: tuple[World, World]) -> None:
    later = NOW + 5 * HOUR
    asked = [world.profile for world in worlds]
    with closing(connect(worlds[0].store_dsn)) as store, store.cursor() as cursor:
        together = read_states(cursor, asked, later)
        alone = [read_states(cursor, [each], later) for each in asked]
    assert [[each] for each in together] == alone
    assert [each.needs_somebody for each in together] == [True, True]
    assert together[0].dates > 1


def test_a_date_is_due_by_each_profiles_own_clock(store: Connection) -> None:
    helsinki = Profile(name="default", start_date=datetime.date(2026, 10, 1))
    oslo = msgspec.structs.replace(helsinki, name="oslo", timezone="Europe/Oslo")
    for each in (helsinki, oslo):
        record(store, datetime.date(2026, 10, 5), profile=each.name)
    with store.cursor() as cursor:
        found = _lacking(cursor, [helsinki, oslo], datetime.datetime(2026, 10, 7, 4, 30, tzinfo=datetime.UTC))
        assert found == {"default": datetime.date(2026, 10, 6), "oslo": None}
        found = _lacking(cursor, [helsinki, oslo], datetime.datetime(2026, 10, 7, 5, tzinfo=datetime.UTC))
        assert found == dict.fromkeys(("default", "oslo"), datetime.date(2026, 10, 6))


def _lacking(cursor: Cursor, asked: list[Profile], now: datetime.datetime) -> dict[str, datetime.date | None]:
    return {each.profile.name: each.lacking for each in read_states(cursor, asked, now)}
