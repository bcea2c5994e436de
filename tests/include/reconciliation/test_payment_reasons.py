"""Why one side is further in payment: which side has more money, or a discount, or says more than its money does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.config.status_map import Meaning
from include.reconciliation.categories import reason_in_words
from include.reconciliation.next_steps import next_step
from tests.include.reconciliation.world import STATUS_MAP

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

BEHIND, AHEAD = "ledger_behind", "ledger_ahead"
# Words of an ERP that say of payment what its amounts need not.
WORDS = msgspec.structs.replace(
    STATUS_MAP,
    ledger={**STATUS_MAP.ledger, "unpaid": Meaning(payment="unpaid"), "in part": Meaning(payment="partly_paid")},
)


def test_a_payment_is_booked_where_ropo_has_more_money(world: World) -> None:
    world.payment("1", "60")
    world.row("1", "unpaid", paid="50")
    assert world.judged(status_map=WORDS) == (BEHIND, "payment")


@pytest.mark.parametrize("paid", ["50", "60"])
def test_where_the_ledger_has_no_less_of_what_ropo_calls_paid_there_is_no_payment_to_book(
    world: World, paid: str
) -> None:
    world.comment("1", "101", "2026-03-10 12:00")
    world.payment("1", "50")
    world.row("1", paid=paid)
    assert world.judged() == (BEHIND, "closed_in_ropo")


def test_a_discount_of_ropos_is_one_though_the_ledger_has_more_payments(world: World) -> None:
    world.payment("1", "50")
    world.payment("1", "50", kind="8")
    world.row("1", paid="60")
    assert world.judged() == (BEHIND, "discount")


@pytest.mark.parametrize(
    ("word", "paid", "discount"), [("unpaid", "100", "0"), ("unpaid", "60", "0"), ("in part", "98", "2")]
)
def test_where_the_money_is_the_same_the_ledgers_status_alone_is_behind(
    world: World, word: str, paid: str, discount: str
) -> None:
    world.payment("7", paid)
    world.payment("7", discount, kind="8")
    world.row("7", word, paid=paid, discount=discount)
    assert world.judged(status_map=WORDS) == (BEHIND, "status_alone")
    assert "status in the ERP" in next_step(BEHIND, "status_alone")


def test_it_is_not_where_ropo_calls_paid_what_is_so_by_no_amount(world: World) -> None:
    world.comment("7", "101")
    world.payment("7", "60")
    world.row("7", "unpaid", paid="60")
    assert world.judged(status_map=WORDS) == (BEHIND, "closed_in_ropo")


def test_it_is_ahead_where_it_says_partly_paid_of_what_nobody_paid(world: World) -> None:
    world.comment("7", "110")
    world.row("7", "in part")
    assert world.judged(status_map=WORDS) == (AHEAD, "status_alone")
    assert "status in the ERP" in next_step(AHEAD, "status_alone")


@pytest.mark.parametrize(
    ("paid", "discount", "reason"),
    [("30", "70", "discount"), ("50", "50", "discount"), ("60", "40", "payment"), ("100", "0", "payment")],
)
def test_the_ledger_is_ahead_by_a_payment_where_it_has_more_money_and_else_by_its_discount(
    world: World, paid: str, discount: str, reason: str
) -> None:
    world.payment("1", "50")
    world.row("1", paid=paid, discount=discount)
    assert world.judged() == (AHEAD, reason)


@pytest.mark.parametrize("paid", ["50", "60"])
def test_what_ropo_goes_on_collecting_came_from_no_payment_of_the_ledgers_where_that_has_no_more(
    world: World, paid: str
) -> None:
    world.payment("1", "60", "2026-03-08")
    world.comment("1", "140", "2026-03-10 09:00")
    world.row("1", "paid", paid=paid, credited=str(100 - int(paid)))
    assert world.judged() == (AHEAD, "still_collected")


@pytest.mark.parametrize(
    ("ropo", "row"),
    [
        ({"code": "101", "paid": "50"}, {"paid": "60"}),
        ({"code": "98", "paid": "50", "discount": "50"}, {"paid": "60"}),
        ({"code": "98", "paid": "50"}, {"paid": "30", "discount": "70"}),
    ],
)
def test_a_reason_says_of_no_payments_that_they_agree_where_they_do_not(
    world: World, ropo: dict[str, str], row: dict[str, Any]
) -> None:
    world.comment("1", ropo["code"], "2026-03-10 12:00")
    world.payment("1", ropo["paid"])
    world.payment("1", ropo.get("discount", "0"), kind="8")
    world.row("1", **row)
    assert "agree" not in reason_in_words(*world.judged())
