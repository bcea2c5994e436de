"""What waits in quarantine, or has no amount, is an invoice of unknown state."""

from __future__ import annotations

import datetime
import json
from hashlib import sha256

import msgspec
import pytest

from tests.include.reconciliation.world import NOW, World, at


def test_unparseable_a_row_of_it_waits_in_quarantine(world: World) -> None:
    world.comment("1", "98")
    world.row("1")
    world.quarantine(b'{"billnum": " 1 ", "jobid": "J1", "amount": "twelve"}', at("2026-03-10 10:00"))
    assert world.judged() == ("unparseable", "row_in_quarantine")


def test_unparseable_even_where_nothing_but_the_bad_row_is_known(world: World) -> None:
    raw = b'{"billnum": 7, "jobid": "J7", "statustime": "2026-03-10 08:00:00", "amount": "twelve"}'
    world.quarantine(raw, at("2026-03-10 10:00"))
    item = world.only_item()
    assert (item["invoice_key"], item["jobid"], item["category"]) == ("b:7", "J7", "unparseable")
    assert item["event_count"] == 0


@pytest.mark.parametrize("scope", ["date", "full"])
def test_unparseable_where_the_bad_row_has_a_text_that_no_index_takes_for_its_number(world: World, scope: str) -> None:
    world.row("1")
    text = "".join(sha256(bytes([part])).hexdigest() for part in range(100))
    world.quarantine(json.dumps({"billnum": text, "jobid": "J1"}).encode(), at("2026-03-10 10:00"))
    item = world.only_item(scope=scope)
    assert (item["category"], item["reason"], item["billnum"]) == ("unparseable", "row_in_quarantine", "1")


@pytest.mark.parametrize("is_booked", [False, True], ids=["Ropo One", "the ledger"])
def test_unparseable_where_the_bad_row_names_a_job_alone_that_one_side_knows(world: World, *, is_booked: bool) -> None:
    world.comment("1", "98", jobid=None if is_booked else "J1")
    world.row("1" if is_booked else "2")
    world.quarantine(b'{"jobid": "J1"}', at("2026-03-10 10:00"))
    item = world.only_item()
    assert (item["invoice_key"], item["category"]) == ("b:1", "unparseable")


def test_unparseable_a_payment_without_an_amount(world: World) -> None:
    world.payment("1", None)
    world.row("1")
    assert world.judged() == ("unparseable", "payment_without_amount")


def test_a_settled_quarantine_is_forgotten(world: World) -> None:
    world.comment("1", "98")
    world.row("1")
    world.quarantine(b'{"billnum": "1"}', at("2026-03-10 10:00"))
    world.store("UPDATE ropo.status_quarantine SET resolved_at = now()")
    assert world.judged() == ("matched", None)


def test_what_a_settled_row_in_quarantine_alone_has_named_is_forgotten(world: World) -> None:
    world.comment("1", "98")
    world.row("1")
    world.quarantine(b'{"billnum": "999", "jobid": "J999"}', at("2026-03-10 10:00"))
    # What another profile knows under these names is nothing that this one knows.
    other = World(world.store_dsn, world.ledger_dsn, msgspec.structs.replace(world.profile, name="other"))
    other.comment("999", "98")
    assert other.only_item()["event_count"] == 1
    after, later = (NOW + datetime.timedelta(days=days) for days in (8, 9))
    world.reconcile()
    assert world.items(world.reconcile(now=after))["b:999"]["category"] == "unparseable"
    assert world.store("SELECT category, state FROM ropo.reconciliation_break") == [("unparseable", "open")]
    world.store("UPDATE ropo.status_quarantine SET resolved_at = now()")
    found = world.items(world.reconcile(now=later))["b:999"]
    assert (found["category"], found["reason"]) == ("matched", "never_known")
    assert world.store("SELECT category, state FROM ropo.reconciliation_break") == [("unparseable", "resolved")]
    assert "b:999" not in world.items(world.reconcile(now=later, scope="full"))
