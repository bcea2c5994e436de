"""What Ropo One speaks of and the ledger lacks: in which currency, and which number it nearly has."""

from __future__ import annotations

import msgspec
import pytest

from tests.include.reconciliation.world import World, at


@pytest.mark.parametrize("scope", ["date", "full"])
def test_a_row_that_is_gone_had_a_currency_which_the_invoice_keeps(world: World, scope: str) -> None:
    world.payment("1", "60", jobid=None)
    world.payment("2", "5")
    world.row("1", paid="60", jobid=None, currency="NOK")
    world.reconcile()
    world.ledger("UPDATE ropo_ledger SET currency = 'SEK'")
    world.reconcile()
    world.ledger("DELETE FROM ropo_ledger")
    found = world.reconcile(scope=scope)
    items = world.items(found)
    assert (items["b:1"]["category"], items["b:1"]["currency"]) == ("missing_in_ledger", "SEK")
    assert items["b:2"]["currency"] == "EUR"
    [(totals,)] = world.store("SELECT totals FROM ropo.reconciliation ORDER BY reconciliation_id DESC LIMIT 1")
    assert {each["currency"]: each["ropo_paid"] for each in totals["currencies"]} == {"EUR": "5", "SEK": "60"}


def test_so_it_does_where_it_was_compared_before_ropo_one_spoke_of_it(world: World) -> None:
    world.row("1", jobid=None, currency="NOK", changed_at=at("2026-03-10 08:00"))
    assert list(world.items(world.reconcile())) == ["b:1"]
    for currency in ("DKK", "SEK"):
        world.ledger("UPDATE ropo_ledger SET jobid = 'J1', currency = %s", (currency,))
        assert list(world.items(world.reconcile())) == ["j:J1"]
    world.payment("1", "60")
    world.ledger("DELETE FROM ropo_ledger")
    item = world.items(world.reconcile())["b:1"]
    assert (item["category"], item["currency"]) == ("missing_in_ledger", "SEK")


@pytest.mark.parametrize("its_row_names", ["its job alone", "its number alone"])
def test_a_row_that_is_gone_counts_though_what_came_after_it_had_none_under_another_name(
    world: World, its_row_names: str
) -> None:
    if its_row_names == "its job alone":
        world.row("77", jobid="J1", currency="SEK", changed_at=at("2026-03-10 08:00"))
    else:
        world.payment("1", "60", jobid=None)
        world.row("1", jobid=None, currency="SEK")
    world.reconcile()
    world.ledger("DELETE FROM ropo_ledger")
    if its_row_names == "its job alone":
        world.payment("1", "60", jobid=None)
    else:
        world.payment(None, "60", jobid="J1")
    assert "EUR" in {item["currency"] for item in world.items(world.reconcile()).values()}
    world.comment("1", "98")
    assert world.items(world.reconcile())["b:1"]["currency"] == "SEK"


def test_it_has_not_the_currency_of_another_profiles_invoice_under_the_same_names(world: World) -> None:
    other = World(world.store_dsn, world.ledger_dsn, msgspec.structs.replace(world.profile, name="other"))
    other.payment("1", "60")
    world.row("1", paid="60", currency="SEK")
    assert other.only_item()["currency"] == "SEK"
    world.ledger("DELETE FROM ropo_ledger")
    world.payment("1", "60")
    assert world.only_item()["currency"] == "EUR"


def test_a_number_that_ropo_one_never_spoke_of_is_nobodys_near_miss(world: World) -> None:
    """The ERP gives a row another number: Ropo One has neither."""
    world.row("7", paid="10", changed_at=at("2026-03-10 08:00"))
    world.reconcile()
    world.ledger("UPDATE ropo_ledger SET billnum = 'INV-7', jobid = 'J2'")
    items = world.items(world.reconcile())
    assert (items["j:J7"]["category"], items["j:J7"]["hint"]) == ("missing_in_ledger", "the ledger has INV-7")
    assert items["j:J2"]["hint"] is None


def test_an_invoice_without_a_row_is_missing_in_ledger(world: World) -> None:
    world.comment("1", "98")
    assert world.judged() == ("missing_in_ledger", "no_row")


@pytest.mark.parametrize("jobid", [None, "J77"])
@pytest.mark.parametrize("number", ["INV-0012", "12", "00012"])
def test_near_misses_are_hinted_at_on_both_sides_and_never_matched(
    world: World, number: str, jobid: str | None
) -> None:
    world.comment("012", "98")
    world.row(number, jobid=jobid, changed_at=at("2026-03-10 08:00"))
    items = world.items(world.reconcile())
    assert items["b:012"]["category"] == "missing_in_ledger"
    assert items["b:012"]["hint"] == f"the ledger has {number}"
    assert items[f"j:{jobid}" if jobid else f"b:{number}"]["hint"] == "Ropo has 012"


def test_a_number_that_ropo_speaks_of_is_nobodys_near_miss(world: World) -> None:
    for number in ("FI-1001", "SE-1001"):
        world.comment(number, "98")
    world.row("FI-1001")
    missing = world.items(world.reconcile())["b:SE-1001"]
    assert (missing["category"], missing["hint"]) == ("missing_in_ledger", None)
