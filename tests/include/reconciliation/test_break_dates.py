"""Which date a break bears: of what it is about, or that shows it first."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from tests.include.reconciliation.differing import HOUR, NEXT, OVER, behind, breaks, states
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from include.config.profiles import Scope
    from tests.include.reconciliation.world import World


def test_a_full_comparison_of_an_earlier_date_makes_no_break_older_that_a_date_has_shown(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.reconcile(DAY - datetime.timedelta(days=40), now=OVER + HOUR, scope="full")
    [found] = breaks(world)
    assert (found["business_date"], found["times_seen"]) == (DAY, 2)


def test_what_a_full_comparison_showed_first_bears_its_date_until_an_earlier_date_shows_it(world: World) -> None:
    behind(world)
    world.reconcile(NEXT, now=OVER, scope="full")
    assert breaks(world)[0]["business_date"] == NEXT
    world.comment("1", "98", "2026-03-12 09:00")
    world.reconcile(NEXT + datetime.timedelta(days=1), now=OVER)
    assert breaks(world)[0]["business_date"] == NEXT, "no younger than it is"
    world.reconcile(now=OVER)
    assert breaks(world)[0]["business_date"] == DAY


def test_a_full_comparison_makes_no_difference_older_than_what_caused_it(world: World) -> None:
    behind(world)
    world.reconcile(DAY - datetime.timedelta(days=40), now=OVER, scope="full")
    assert breaks(world)[0]["business_date"] == DAY


def test_what_one_night_shows_with_several_dates_is_of_the_earliest(world: World) -> None:
    behind(world)
    world.comment("1", "98", "2026-03-11 09:00")
    for day in (NEXT, DAY):
        world.reconcile(day, now=at("2026-03-11 21:00"))
    world.recheck(NEXT + datetime.timedelta(days=1), now=OVER)
    [found] = breaks(world)
    assert (found["business_date"], found["times_seen"]) == (DAY, 2)


def test_of_two_breaks_that_turn_out_to_be_one_invoices_the_older_gives_the_age(world: World) -> None:
    world.row("9")
    for jobid, day in (("J1", DAY), ("J2", NEXT)):
        world.comment(None, "98", f"{day} 09:00", jobid=jobid, seen=at(f"{day} 10:00"))
        world.reconcile(day, now=at("2026-03-16 08:00"))
    for jobid in ("J1", "J2"):
        world.comment("1", "98", "2026-03-16 09:00", jobid=jobid, seen=at("2026-03-16 10:00"))
    world.reconcile(datetime.date(2026, 3, 16), now=at("2026-03-18 08:00"))
    assert [(found["invoice_key"], found["business_date"]) for found in breaks(world)] == [
        ("j:J1", DAY),
        ("j:J2", NEXT),
        ("b:1", DAY),
    ]


def test_what_an_event_that_is_dated_ahead_has_caused_is_of_the_day_that_shows_it(world: World) -> None:
    world.row("1", "sent")
    world.comment("1", "140", "2062-03-10 09:00")
    for now in (OVER, at("2026-03-17 22:30")):  # half past midnight in Helsinki
        world.reconcile(now=now, scope="full")
    assert breaks(world)[0]["business_date"] == datetime.date(2026, 3, 18)


def test_another_difference_of_a_mended_invoice_has_its_own_date_and_the_same_one_its_old(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.ledger("UPDATE ropo_ledger SET total = 200, paid = 100, open = 100 WHERE billnum = '1'")
    world.reconcile(now=OVER + HOUR)
    assert states(world) == [("b:1", "ledger_behind", "resolved")]
    world.ledger("UPDATE ropo_ledger SET paid = 0, open = 200 WHERE billnum = '1'")
    world.reconcile(NEXT, now=OVER + 2 * HOUR, scope="full")
    assert breaks(world)[0]["business_date"] == DAY, "what was booked is taken back"
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 100 WHERE billnum = '1'")
    world.reconcile(now=OVER + 2 * HOUR)
    world.ledger("UPDATE ropo_ledger SET paid = 0, open = 200, changed_at = '2026-04-20 08:00Z' WHERE billnum = '1'")
    world.reconcile(datetime.date(2026, 4, 20), now=at("2026-04-24 10:00"))
    assert (breaks(world)[0]["state"], breaks(world)[0]["business_date"]) == ("open", DAY), "by whichever date"
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 100 WHERE billnum = '1'")
    world.reconcile(now=at("2026-04-25 10:00"))

    world.payment("1", "100", "2026-06-01", seen=at("2026-06-01 10:00"))
    world.reconcile(datetime.date(2026, 6, 1), now=at("2026-06-04 10:00"))
    [found] = breaks(world)
    assert (found["state"], found["business_date"]) == ("open", datetime.date(2026, 6, 1))


@pytest.mark.parametrize("number", [5, 6])
def test_a_payment_of_the_day_on_which_a_break_was_resolved_is_another_difference_and_one_of_the_day_before_is_none(
    world: World, number: int
) -> None:
    """A night resolves when the day has only begun: nearly all that is dated on it comes after."""
    behind(world)
    world.reconcile(now=OVER)
    world.ledger("UPDATE ropo_ledger SET total = 200, paid = 100, open = 100 WHERE billnum = '1'")
    world.reconcile(now=at("2026-04-05 22:10"))  # ten past one in Helsinki
    assert states(world) == [("b:1", "ledger_behind", "resolved")]

    day = datetime.date(2026, 4, number)
    world.payment("1", "100", str(day), seen=at("2026-04-06 10:00"))
    world.reconcile(day, now=at("2026-04-10 10:00"))

    [found] = breaks(world)
    assert (found["state"], found["business_date"]) == ("open", day if number == 6 else DAY)


@pytest.mark.parametrize("scopes", [("date",), ("full", "date")])
def test_what_the_ledger_makes_after_a_break_was_resolved_is_of_the_dates_that_show_it(
    world: World, scopes: tuple[Scope, ...]
) -> None:
    """Whichever run finds it first."""
    world.comment("1", "98")
    world.row("1", "paid", paid="100")
    world.reconcile(now=OVER)
    world.reconcile(now=OVER + datetime.timedelta(days=5))
    assert states(world) == [("b:1", "ledger_ahead", "open")]
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100")
    world.reconcile(now=OVER + datetime.timedelta(days=6))
    assert states(world) == [("b:1", "ledger_ahead", "resolved")]

    june = datetime.date(2026, 6, 10)
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0, changed_at = '2026-06-10 08:00Z'")
    for days in (1, 6):
        for scope in scopes:
            world.reconcile(june, now=at("2026-06-10 10:00") + datetime.timedelta(days=days), scope=scope)
    assert [(each["state"], each["business_date"]) for each in breaks(world)] == [("open", june)]

    # An earlier date that shows the same makes it as old.
    world.reconcile(now=at("2026-06-17 10:00"))
    assert breaks(world)[0]["business_date"] == DAY
