"""The demo with Tryton as its ledger (``make demo ERP=tryton``)."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING

from demo import outcome
from demo.connections import LEDGERS, PROFILES_FILES
from demo.data import MARKET, Data
from demo.tryton import ledger as demo
from include.config.profiles import load_profile
from include.config.status_map import load_status_map
from local_airflow.paths import airflow_home
from tests.include.reconciliation.world import World

if TYPE_CHECKING:
    from demo.tryton.client import Tryton
    from local_airflow.embedded import Server


def test_the_demos_differences_booked_in_tryton_are_exactly_what_is_found(
    postgres: Server, tryton: Tryton, store_dsn: str
) -> None:
    as_of = datetime.datetime.now(datetime.UTC)
    dataset = demo.make_small_dataset(7, as_of, MARKET)
    differences = demo.plan(dataset, as_of)
    # The invoices with a difference, and a few without: booking all of them takes a minute.
    chosen = {each.billnum for each in differences} | {each.billnum for each in dataset.invoices[:6]}
    few = replace(
        dataset,
        invoices=[each for each in dataset.invoices if each.billnum in chosen],
        rows=[each for each in dataset.rows if each.row["billnum"] in chosen and each.recorded_at <= as_of],
    )
    demo.book(airflow_home(), postgres, few, differences, as_of)

    profile = load_profile("demo", PROFILES_FILES["tryton"])
    world = World(store_dsn, postgres.dsn(*LEDGERS["tryton"]), profile)
    for each in few.rows:
        row = {name: str(value) for name, value in each.row.items()}
        told = {
            name: row[name] for name in ("jobid", "statusid", "statustype", "statuscode", "statusref", "statustext")
        }
        world.event(row["billnum"], row["statustime"], amount=row["amount"] or None, seen=as_of, **told)
    dates = Data(as_of, 0, few, differences).dates
    status_map = load_status_map(profile.status_map)
    for day in dates:
        world.reconcile(day, now=as_of, status_map=status_map, reread_poll_id=world.know_all(day))
    found = outcome.read(store_dsn, profile.name, dates)
    assert outcome.surprises(found, dates, differences) == []
    assert {item.category for item in found.items} == {
        "ambiguous_match",
        "amount_mismatch",
        "duplicate_in_ledger",
        "ledger_ahead",
        "ledger_behind",
        "missing_in_ledger",
        "missing_in_ropo",
        "status_conflict",
        "unknown_status",
    }
