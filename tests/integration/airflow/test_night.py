"""A night of the project's own DAGs: the date's run re-reads earlier dates, finds what came late and what is mended.

Ropo One is the stand-in over real HTTP, the ledger and the store are PostgreSQL, and the runs are Airflow's.
"""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest

from include.config.profiles import Profile
from include.config.status_map import load_status_map
from include.simulator.ropo import Ropo
from include.simulator.rows import make_row
from include.simulator.server import SimulatorServer
from tests.include.reconciliation.world import LEDGER, World
from tests.integration.airflow.driving import ask, driving, variables

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from local_airflow.embedded import Server

DAY = datetime.timedelta(days=1)
TODAY = datetime.datetime.now(ZoneInfo("Europe/Helsinki")).date()
# The run's own date; one that is red and mended since; one of which a change was recorded late.
OWN, MENDED, LATE = TODAY - DAY, TODAY - 2 * DAY, TODAY - 3 * DAY
PROFILES = """
profiles:
  - {name: default, start_date: 2020-01-01, grace_business_days: 0, settle_hours: 0, recheck_days: 5, late_days: 3}
"""


class Night:
    """What came of it.

    :ivar runs: answers of the driver, in order: drain, the scheduled run, by hand, full, maintenance.
    """

    runs: list[dict[str, Any]]
    world: World
    server: SimulatorServer
    log: pathlib.Path


def _payment(number: int, day: datetime.date) -> dict[str, Any]:
    fields = {"statustime": f"{day} 00:00:00", "paydate": str(day), "amount": "100", "jobid": f"J{number}"}
    return make_row(number, statustype="payment", billnum=str(number), **fields)


@pytest.fixture(scope="module")
def night(
    postgres: Server, metadata_template: str, store_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    """Everything in one Airflow: it takes its time to start."""
    home = tmp_path_factory.mktemp("airflow")
    store = postgres.fresh_database("store", template=store_template)
    ledger = postgres.fresh_database("ledger")
    with closing(psycopg2.connect(postgres.dsn(ledger))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    night = Night()
    night.world = _days_before(postgres, store, ledger)
    with SimulatorServer(Ropo()) as night.server:
        night.server.ropo.add_rows(_payment(number, day) for number, day in ((1, OWN), (2, MENDED)))
        given = variables(postgres, metadata_template, store, ledger, home, night.server.url, profiles=PROFILES)
        night.log = home / "driver.log"
        with night.log.open("w") as log, driving(given, log) as driver:
            first, rest = _orders()
            night.runs = [ask(driver, first)]
            # Recorded late for a date that is reconciled; the queue was emptied, so that only a re-read shows it.
            night.server.ropo.add_rows([_payment(3, LATE)])
            night.runs += [ask(driver, order) for order in rest]
        yield night


def _orders() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    by_hand = {"dag_id": "ropo_reconciliation", "conf": {"date": str(OWN)}}
    full = {"dag_id": "ropo_full_comparison", "conf": {"date": str(OWN)}}
    return {"dag_id": "ropo_status_drain"}, [
        {"dag_id": "ropo_reconciliation", "key": str(OWN)},
        by_hand,
        full,
        {"dag_id": "ropo_maintenance"},
    ]


def _days_before(postgres: Server, store: str, ledger: str) -> World:
    """Two earlier dates, which the ledger alone has spoken of: a payment that Ropo One lacked, and nothing unusual."""
    world = World(postgres.dsn(store), postgres.dsn(ledger), Profile(name="default", grace_business_days=0))
    for number, day, paid in (("1", OWN, "100"), ("2", MENDED, "100"), ("3", LATE, "0")):
        noon = datetime.datetime.combine(day, datetime.time(12), datetime.UTC)
        world.row(number, "open" if paid == "0" else "paid", paid=paid, sent_at=noon - 9 * DAY, changed_at=noon)
    for day, verdict in ((LATE, "reconciled"), (MENDED, "breaks")):
        night = datetime.datetime.combine(day + DAY, datetime.time(4), datetime.UTC)
        status_map = load_status_map(world.profile.status_map)
        result = world.reconcile(day, now=night, reread_poll_id=world.know_all(day), status_map=status_map)
        assert result.verdict == verdict
    return world


def _recorded(night: Night, run: int) -> list[tuple[Any, ...]]:
    columns = "business_date, scope, verdict, population, second_opinions_asked"
    query = f"SELECT {columns} FROM ropo.reconciliation WHERE run_id = %s ORDER BY reconciliation_id"
    return night.world.store(query, (night.runs[run]["run_id"],))


def _states(night: Night, run: int) -> dict[str, str]:
    return {name.removeprefix("profile."): state for name, state in night.runs[run]["tasks"].items()}


def test_the_nights_run_compares_its_date_and_what_became_of_earlier_ones(night: Night) -> None:
    assert night.runs[0]["state"] == "success", night.log.read_text()[-3000:]
    assert _recorded(night, 1) == [
        (OWN, "date", "reconciled", 1, 0),
        (LATE, "date", "breaks", 1, 1),
        (MENDED, "date", "reconciled", 1, 0),
    ]
    assert set(_states(night, 1).values()) == {"success"}
    assert night.world.verdicts(MENDED) == ["breaks", "reconciled"]
    assert night.world.verdicts(LATE) == ["reconciled", "breaks"]


def test_each_earlier_date_is_a_poll_of_its_own_and_the_new_break_one_by_number(night: Night) -> None:
    query = "SELECT kind, filter_value, outcome FROM ropo.status_poll WHERE run_id = %s ORDER BY poll_id"
    polls = night.world.store(query, (night.runs[1]["run_id"],))
    assert [poll for poll in polls if poll[0] == "billnum"] == [("billnum", "3", "landed")]
    assert {(value, outcome) for kind, value, outcome in polls if kind == "date"} == {
        (str(OWN), "landed"),
        (str(MENDED), "landed"),
        (str(LATE), "landed"),
        (str(LATE - DAY), "empty"),
    }


def test_a_run_by_hand_leaves_earlier_dates_alone(night: Night) -> None:
    assert _recorded(night, 2) == [(OWN, "date", "reconciled", 1, 0)]
    states = _states(night, 2)
    assert (states["reread_earlier"], states["recheck"], states["verdict"]) == ("skipped", "skipped", "success")
    assert "Earlier dates are looked at in scheduled runs" not in night.log.read_text(), "they were started for it"


def test_a_full_comparison_has_every_unsettled_invoice_and_is_red_for_its_break(night: Night) -> None:
    assert _recorded(night, 3) == [(OWN, "full", "breaks", 1, 0)]
    assert (night.runs[3]["state"], _states(night, 3)["verdict"]) == ("failed", "failed")


def test_maintenance_keeps_everything_unless_the_profile_says_otherwise(night: Night) -> None:
    assert night.runs[4]["state"] == "success"
    assert _states(night, 4) == {"remove_pages": "skipped", "erase_texts": "skipped", "outcome": "success"}
