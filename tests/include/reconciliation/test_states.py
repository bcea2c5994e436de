"""What each side says of an invoice, and which of it is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def test_a_later_message_does_not_overwrite_paid(world: World) -> None:
    world.payment("1", "100")
    world.comment("1", "101", "2026-03-10 09:00")
    world.comment("1", "98", "2026-03-10 10:00")
    world.row("1", "paid", paid="100")
    assert world.judged() == ("matched", None)


def test_payments_that_reach_the_total_mean_paid_without_101(world: World) -> None:
    world.payment("1", "60", "2026-03-01")
    world.payment("1", "40")
    world.row("1", "paid", paid="100")
    assert world.judged() == ("matched", None)


def test_a_cash_discount_is_not_money_received(world: World) -> None:
    world.payment("1", "98")
    world.payment("1", "2", kind="8")
    world.row("1", "paid", paid="98", discount="2")
    item = world.only_item()
    assert (item["category"], item["ropo_paid"], item["ropo_discount"]) == ("matched", 98, 2)


def test_a_cash_discount_booked_as_money_is_told(world: World) -> None:
    world.payment("1", "98")
    world.payment("1", "2", kind="8")
    world.row("1", "paid", paid="100")
    assert world.judged() == ("amount_mismatch", "booked_otherwise")


def test_a_ledger_without_discounts_may_lack_just_ropos_discount(world: World) -> None:
    for number in ("1", "2"):
        world.payment(number, "98")
        world.payment(number, "2", kind="8")
    world.row("1", "paid", paid="98", discount=None, open="0")
    world.row("2", "paid", paid="97", discount=None, open="0")
    items = world.items(world.reconcile())
    assert items["b:1"]["category"] == "matched"
    assert items["b:2"]["category"] == "ledger_inconsistent"


def test_a_ledger_without_discounts_may_lack_just_ropos_discount_beside_what_was_credited(world: World) -> None:
    for number in ("1", "2"):
        world.payment(number, "58")
        world.payment(number, "2", kind="8")
    world.row("1", "paid", paid="58", discount=None, credited="40", open="0")
    world.row("2", "paid", paid="58", discount=None, credited="41", open="0")
    items = world.items(world.reconcile())
    assert items["b:1"]["category"] == "matched"
    assert items["b:2"]["category"] == "ledger_inconsistent"


def test_where_a_payment_is_reversed_the_sums_decide_and_not_101(world: World) -> None:
    world.payment("1", "100", "2026-03-01")
    world.comment("1", "101", "2026-03-01 09:00")
    world.payment("1", "-100")
    world.row("1")
    item = world.only_item()
    assert (item["category"], item["ropo_status"], item["ropo_paid"]) == ("matched", "unpaid", 0)


def test_an_overpayment_that_both_sides_show_is_matched(world: World) -> None:
    world.payment("1", "120")
    world.row("1", "paid", paid="120", open="-20")
    assert world.judged() == ("matched", None)


@pytest.mark.parametrize(
    ("at_ropo", "in_ledger", "reason"),
    [
        (("120", "0"), ("100", "0"), "overpaid_in_ropo"),
        (("100", "0"), ("120", "0"), "overpaid_in_ledger"),
        (("120", "0"), ("130", "0"), "overpaid_in_ledger"),
        (("100", "2"), ("98", "2"), "overpaid_in_ropo"),
        (("98", "2"), ("100", "2"), "overpaid_in_ledger"),
        (("60", "0"), ("50", "10"), "booked_otherwise"),
        (("60", "0"), ("50", "5"), "payments_and_discounts"),
        (("100", "0"), ("98", "5"), "payments_and_discounts"),
        (("60", "5"), ("50", "5"), "payments"),
        (("60", "5"), ("60", "2"), "discounts"),
    ],
)
def test_how_two_sides_differ_in_their_amounts_is_told_apart(
    world: World, at_ropo: tuple[str, str], in_ledger: tuple[str, str], reason: str
) -> None:
    """An overpayment of one side, money that was booked as a discount, and which of the two sums it is."""
    for amount, kind in zip(at_ropo, "18", strict=True):
        world.payment("1", amount, kind=kind)
    world.row("1", paid=in_ledger[0], discount=in_ledger[1])
    assert world.judged() == ("amount_mismatch", reason)


def test_101_without_the_payments_is_a_mismatch_of_amounts(world: World) -> None:
    world.comment("1", "101")
    world.row("1", "paid", paid="100")
    assert world.judged() == ("amount_mismatch", "payments")


def test_a_credit_note_is_compared_by_existence_and_end_alone(world: World) -> None:
    world.comment("1", "101")
    world.row("1", total="-100", open="-70", paid="-10")
    assert world.judged() == ("matched", "credit_note")


def test_an_invoice_of_zero_too(world: World) -> None:
    world.comment("1", "150")
    world.row("1", total="0")
    assert world.judged() == ("status_conflict", "ended_in_ropo")


def test_what_a_credit_note_took_off_need_not_be_paid(world: World) -> None:
    world.payment("1", "60")
    world.row("1", "paid", paid="60", credited="40")
    assert world.judged() == ("matched", None)


def test_credited_in_full_on_both_sides(world: World) -> None:
    world.comment("1", "150")
    world.row("1", "credited", credited="100")
    assert world.judged() == ("matched", None)


def test_credited_in_full_by_the_amounts_where_the_ledgers_word_says_nothing_of_it(world: World) -> None:
    """Else a debtor in collection for nothing would show nowhere."""
    world.comment("1", "140")
    world.row("1", "open", credited="100")
    world.comment("2", "150")
    world.row("2", "sent", credited="100", open=None)
    # In part, by its own word, a credit note itself, and what was paid (or granted) before it was credited.
    world.comment("3", "140")
    world.row("3", "open", credited="99")
    world.comment("4", "101")
    world.row("4", "paid", credited="100")
    world.comment("5", "140")
    world.row("5", "open", total="-100", credited="100", open="-200")
    world.payment("6", "100")
    world.row("6", "open", paid="100", credited="100", open="-100")
    world.payment("7", "2", kind="8")
    world.row("7", "open", discount="2", credited="100", open="-2")
    items = world.items(world.reconcile())
    assert {key: (item["category"], item["reason"], item["ledger_status"]) for key, item in items.items()} == {
        "b:1": ("status_conflict", "ended_in_ledger", "credited"),
        "b:2": ("matched", None, "credited"),
        "b:3": ("matched", None, "unpaid"),
        "b:4": ("matched", None, "paid"),
        "b:5": ("matched", "credit_note", "unpaid"),
        "b:6": ("matched", None, "paid"),
        "b:7": ("matched", None, "paid"),
    }


def test_of_an_invoice_credited_in_full_ropo_one_need_not_have_heard(world: World) -> None:
    world.row("1", "open", credited="100", sent_at=None, changed_at=at("2026-03-10 08:00"))
    assert world.judged() == ("matched", "never_spoken_of")


def test_a_word_that_the_map_lacks_ends_nothing_though_all_is_credited(world: World) -> None:
    world.row("1", "odd", credited="100", changed_at=at("2026-03-10 08:00"))
    assert world.judged() == ("unknown_status", "ledger_word")


def test_what_has_ended_alike_is_compared_by_its_sums_and_no_more_by_its_payment(world: World) -> None:
    for number, paid in (("1", "0"), ("2", "60")):
        world.comment(number, "101", "2026-03-09 09:00")
        world.comment(number, "150")
        world.row(number, "credited", credited="100", paid=paid)
    items = world.items(world.reconcile())
    assert items["b:1"]["category"] == "matched"
    assert items["b:2"]["category"] == "amount_mismatch"


def test_payments_of_the_print_service_are_not_compared(world: World) -> None:
    world.payment("1", "5", kind="77")
    world.comment("1", "120")
    world.row("1", "paid", paid="100", by_ropo=False)
    item = world.only_item()
    assert (item["category"], item["reason"], item["further"]) == ("matched", "print_service", None)


def test_money_that_ropo_has_of_the_print_service_is_compared_all_the_same(world: World) -> None:
    world.payment("1", "100")
    world.row("1", by_ropo=False)
    world.payment("2", "100")
    world.row("2", "paid", paid="100", by_ropo=False)
    items = world.items(world.reconcile())
    assert (items["b:1"]["category"], items["b:1"]["reason"]) == ("ledger_behind", "payment")
    assert items["b:2"]["category"] == "matched"


def test_a_ledger_that_knows_no_stages_is_not_blamed_for_it(world: World) -> None:
    world.comment("1", "140")
    world.row("1", "open")
    item = world.only_item()
    assert (item["category"], item["ropo_status"], item["ledger_status"]) == ("matched", "in_collection", "unpaid")


def test_stages_are_not_compared_once_both_sides_are_paid(world: World) -> None:
    world.comment("1", "130", "2026-03-01 09:00")
    world.payment("1", "100")
    world.row("1", "sent", paid="100")
    assert world.judged() == ("matched", None)


@pytest.mark.parametrize(("first", "last"), [("C9", "C10"), ("C10", "P10")])
def test_of_one_second_the_number_in_the_statusid_decides_and_then_its_text(
    world: World, first: str, last: str
) -> None:
    world.comment("1", "130", statusid=last)
    world.comment("1", "120", statusid=first)
    world.row("1", "reminded")
    assert world.judged() == ("matched", None)


def test_amounts_without_a_currency_take_the_ledgers_or_the_profiles(world: World) -> None:
    world.payment("1", "10")
    world.row("1", paid="10", currency=None)
    world.payment("2", "10")
    world.row("2", paid="10", currency="SEK")
    result = world.reconcile()
    assert {total.currency: total.ropo_paid for total in result.totals.currencies} == {"EUR": 10, "SEK": 10}
