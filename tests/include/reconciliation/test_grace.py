"""How long a difference is pending before it is a break."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.errors import ConfigurationError
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def test_a_difference_of_today_is_pending_until_the_end_of_the_next_business_day(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    assert world.only_item()["pending_until"] == at("2026-03-11 22:00")
    assert world.only_item(now=at("2026-03-11 21:59"))["pending_until"] == at("2026-03-11 22:00")
    late = world.only_item(now=at("2026-03-11 22:00"))
    assert late["pending_until"] is None
    assert late["grace_until"] == at("2026-03-11 22:00")


def test_a_difference_of_friday_is_pending_over_the_weekend(world: World) -> None:
    friday = datetime.date(2026, 3, 6)
    world.payment("1", "100", "2026-03-06", seen=at("2026-03-06 10:00"))
    world.row("1")
    result = world.reconcile(friday, now=at("2026-03-08 12:00"))
    assert world.items(result)["b:1"]["pending_until"] == at("2026-03-09 22:00")


def test_public_holidays_of_the_market_do_not_count(world: World) -> None:
    thursday = datetime.date(2026, 4, 2)  # before Good Friday
    world.payment("1", "100", "2026-04-02", seen=at("2026-04-02 10:00"))
    world.row("1")
    result = world.reconcile(thursday, now=at("2026-04-06 12:00"))
    assert world.items(result)["b:1"]["pending_until"] == at("2026-04-07 21:00")


def test_where_no_event_is_the_cause_grace_runs_from_the_first_run_that_saw_it(world: World) -> None:
    world.comment("1", "98", "2026-03-01 09:00", seen=at("2026-03-01 10:00"))
    world.row("1", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    assert world.only_item(now=at("2026-03-10 23:00"))["pending_until"] == at("2026-03-11 23:00")
    assert world.only_item(now=at("2026-03-11 20:00"))["pending_until"] == at("2026-03-11 23:00")
    assert world.only_item(now=at("2026-03-11 23:00"))["pending_until"] is None


@pytest.mark.parametrize(("told", "booked"), [("30", "60"), ("100", "120")])
def test_a_payment_that_the_erp_books_first_has_its_grace_though_an_earlier_one_is_on_both_sides(
    world: World, told: str, booked: str
) -> None:
    world.payment("1", told, "2026-03-01", seen=at("2026-03-01 10:00"))
    world.row("1", "open", paid=booked, changed_at=at("2026-03-10 08:00"))
    item = world.only_item(now=at("2026-03-10 23:00"))
    assert (item["category"], item["caused_on"]) == ("amount_mismatch", None)
    assert item["pending_until"] == at("2026-03-11 23:00")
    world.payment("1", str(int(booked) - int(told)), "2026-03-10")
    assert world.only_item(now=at("2026-03-11 20:00"))["category"] == "matched"


def test_a_payment_between_others_that_the_ledger_lacks_has_its_grace_from_its_own_date(world: World) -> None:
    world.payment("1", "30", "2026-03-01", seen=at("2026-03-01 10:00"))
    world.payment("1", "30", "2026-03-10")
    world.row("1", paid="30", changed_at=at("2026-03-01 11:00"))
    item = world.only_item(now=at("2026-03-10 23:00"))
    assert (item["category"], item["caused_on"]) == ("amount_mismatch", datetime.date(2026, 3, 10))
    assert item["pending_until"] == at("2026-03-11 22:00")


def test_a_payment_that_the_ledger_lacks_has_its_grace_from_its_date_though_a_stage_came_since(world: World) -> None:
    world.payment("1", "100", "2026-03-08")
    world.comment("1", "110")
    world.row("1", "sent")
    item = world.only_item()
    assert (item["category"], item["caused_on"]) == ("ledger_behind", datetime.date(2026, 3, 8))


def test_a_payment_that_is_booked_as_something_else_has_its_grace_from_its_own_date(world: World) -> None:
    world.payment("1", "98")
    world.payment("1", "2", kind="8")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["reason"], item["caused_on"]) == ("booked_otherwise", DAY)


def test_grace_never_starts_again_while_the_invoice_stays_unmatched(world: World) -> None:
    world.payment("1", "60", "2026-03-09", seen=at("2026-03-09 10:00"))
    world.row("1")
    first = world.items(world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:00")))["b:1"]
    assert first["pending_until"] == at("2026-03-10 22:00")
    world.payment("1", "40")  # a newer cause, on the next day
    assert world.only_item(now=at("2026-03-10 23:00"))["pending_until"] is None


@pytest.mark.parametrize("jobid", ["J1", None])
def test_grace_never_starts_again_though_the_ledger_showed_nothing_meanwhile(world: World, jobid: str | None) -> None:
    before = datetime.date(2026, 3, 9)
    world.payment("1", "60", "2026-03-09", seen=at("2026-03-09 10:00"), jobid=jobid)
    world.row("1", jobid=jobid)
    world.reconcile(before, now=at("2026-03-09 22:30"))
    world.ledger("DELETE FROM ropo_ledger")
    world.reconcile(before, now=at("2026-03-09 23:00"))
    world.row("1", jobid=jobid)
    world.payment("1", "40", jobid=jobid)  # a newer cause, on the next day
    assert world.only_item(now=at("2026-03-10 23:00"))["pending_until"] is None


def test_a_grace_that_another_profile_began_is_nothing_to_this_one(world: World) -> None:
    own = world.profile
    world.profile = msgspec.structs.replace(own, name="other")
    world.payment("1", "60", "2026-03-09", seen=at("2026-03-09 10:00"))
    world.row("1")
    world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:00"))
    world.profile = own
    world.payment("1", "40")
    assert world.only_item()["pending_until"] == at("2026-03-11 22:00")


def test_grace_never_starts_again_when_the_invoices_number_becomes_known(world: World) -> None:
    world.payment(None, "60", "2026-03-09", seen=at("2026-03-09 10:00"), jobid="J1")
    world.row("2")  # a ledger that shows nothing begins no grace
    first = world.items(world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:00")))["j:J1"]
    assert first["category"] == "missing_in_ledger"
    world.row("1")
    world.payment("1", "40")  # a newer cause, on the next day

    now = world.only_item(now=at("2026-03-10 23:00"))

    assert (now["invoice_key"], now["category"]) == ("b:1", "ledger_behind")
    assert (now["grace_from"], now["pending_until"]) == (first["grace_from"], None)


@pytest.mark.parametrize("jobid", ["J1", None])
def test_grace_starts_anew_after_the_invoice_was_matched(world: World, jobid: str | None) -> None:
    world.payment("1", "60", "2026-03-09", seen=at("2026-03-09 10:00"), jobid=jobid)
    world.row("1", jobid=jobid)
    world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:00"))
    world.ledger("UPDATE ropo_ledger SET paid = 60, open = 40")
    world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:30"))
    world.payment("1", "40", jobid=jobid)
    assert world.only_item(now=at("2026-03-10 23:00"))["pending_until"] == at("2026-03-11 22:00")


def test_without_grace_a_difference_is_a_break_at_once(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    none = msgspec.structs.replace(world.profile, grace_business_days=0)
    assert world.only_item(profile=none)["pending_until"] is None


def test_a_ledger_that_showed_nothing_begins_nobodys_grace(world: World) -> None:
    """All that Ropo One spoke of seemed to lack its row then, some of it for weeks."""
    before = datetime.date(2026, 3, 9)
    world.comment("1", "98", "2026-02-01 09:00", seen=at("2026-02-01 09:00"))
    world.comment("1", "98", "2026-03-09 09:00", seen=at("2026-03-09 09:00"))
    assert "ledger_empty" in [reason.word for reason in world.reconcile(before, now=at("2026-03-09 23:00")).reasons]
    world.row("1")
    world.payment("1", "100")
    assert world.only_item()["pending_until"] == at("2026-03-11 22:00")


@pytest.mark.parametrize("when", ["9999-12-31 00:00", "2062-03-10 09:00"])
@pytest.mark.parametrize("scope", ["date", "full"])
def test_an_event_that_is_dated_far_ahead_neither_stops_a_run_nor_hides_a_difference(
    world: World, when: str, scope: str
) -> None:
    world.row("1", "sent")
    world.comment("1", "140", when)
    item = world.items(world.reconcile(scope=scope))["b:1"]
    assert (item["category"], item["pending_until"]) == ("ledger_behind", at("2026-03-12 23:00"))
    late = world.items(world.reconcile(scope=scope, now=at("2026-03-13 00:00")))["b:1"]
    assert late["pending_until"] is None


@pytest.mark.parametrize("zone", ["Europe/Helsinki", "Europe/Oslo"])
def test_an_event_of_the_year_1_stops_no_comparison(world: World, zone: str) -> None:
    """Where a sender has no date, it may say its language's smallest."""
    world.profile = msgspec.structs.replace(world.profile, timezone=zone)
    world.row("1")
    world.payment("1", "100", "0001-01-01 00:00:00")
    assert world.reconcile().breaks == 1


def test_a_country_whose_holidays_nobody_knows_is_named_with_file_profile_and_key(world: World) -> None:
    world.profile = msgspec.structs.replace(world.profile, country="XX")
    with pytest.raises(ConfigurationError, match=r"profiles\.yaml: profile 'default', key 'country': country 'XX'"):
        world.reconcile()
