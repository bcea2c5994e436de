"""Each category, in the order in which they exclude one another."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.status_map import Meaning
from tests.include.reconciliation.world import DAY, STATUS_MAP, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def test_matched_paid_on_both_sides(world: World) -> None:
    world.payment("1", "100")
    world.comment("1", "101")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["category"], item["reason"]) == ("matched", None)
    assert (item["ropo_status"], item["ledger_status"]) == ("paid", "paid")
    assert (item["ropo_paid"], item["ledger_paid"], item["currency"]) == (100, 100, "EUR")


def test_a_currency_in_small_letters_is_the_same_currency(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100", currency=" eur ")
    assert world.only_item()["currency"] == "EUR"


def test_duplicate_in_ledger_by_jobid(world: World) -> None:
    world.comment("1", "98")
    world.row("1", paid="10", open="90")
    world.row("1", paid="10", open="90")
    result = world.reconcile()
    assert result.categories == {"duplicate_in_ledger": {"pending": 1}}
    assert world.items(result)["b:1"]["reason"] == "jobid_twice"
    assert world.store("SELECT totals -> 'ledger_rows', totals -> 'extra_rows' FROM ropo.reconciliation") == [(2, 1)]


def test_duplicate_in_ledger_by_billnum_where_the_ledger_has_no_jobids(world: World) -> None:
    world.comment("1", "98")
    world.row("1", jobid=None)
    world.row(" 1 ", jobid=None)
    assert world.judged() == ("duplicate_in_ledger", "billnum_twice")


def test_duplicates_that_ropo_never_spoke_of_are_told_too(world: World) -> None:
    world.row("1", jobid=None, changed_at=at("2026-03-10 08:00"))
    world.row("1", jobid=None)
    assert world.judged() == ("duplicate_in_ledger", "billnum_twice")


def test_ambiguous_match_jobid_and_billnum_lead_to_different_rows(world: World) -> None:
    world.comment("1", "98")
    world.row("2", jobid="J1")
    world.row("1", jobid=None)
    assert world.judged() == ("ambiguous_match", "several_rows")


def test_ambiguous_match_though_the_row_of_the_number_has_a_jobid_that_ropo_does_not_know(world: World) -> None:
    world.comment("1", "98")
    world.row("2", jobid="J1")
    world.row("1", jobid="J9")
    assert world.judged() == ("ambiguous_match", "several_rows")


def test_ambiguous_match_of_swapped_jobids_touches_both_invoices(world: World) -> None:
    world.comment("1", "98")
    world.comment("2", "98", "2026-03-01 09:00", seen=at("2026-03-01 10:00"))
    world.row("1", jobid="J2")
    world.row("2", jobid="J1")
    # Only the first is in the day's population, and its rows are found all the same.
    item = world.only_item()
    assert (item["invoice_key"], item["category"], item["reason"]) == ("b:1", "ambiguous_match", "keys_lead_apart")


def test_ambiguous_match_a_row_with_the_number_but_the_jobid_of_another(world: World) -> None:
    world.comment("1", "98")
    world.comment("2", "98")
    world.row("2")
    world.row("1", jobid="J2")
    items = world.items(world.reconcile())
    assert items["b:1"]["category"] == "ambiguous_match"
    assert items["b:1"]["reason"] == "row_of_another"
    assert items["b:2"]["category"] == "duplicate_in_ledger"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"status": "paid", "paid": "100"}, ("missing_in_ropo", "payment")),
        ({"paid": "30"}, ("missing_in_ropo", "payment")),
        ({"status": "paid"}, ("missing_in_ropo", "payment")),
        ({"status": "paid", "paid": "100", "sent_at": None}, ("missing_in_ropo", "paid_before_sending")),
        ({"status": "cancelled"}, ("missing_in_ropo", "end")),
        ({"status": "cancelled", "sent_at": None}, ("missing_in_ropo", "ended_before_sending")),
        ({"status": "paid", "paid": "100", "by_ropo": False}, ("matched", "never_spoken_of")),
        ({}, ("matched", "never_spoken_of")),
        ({"total": "-100"}, ("matched", "never_spoken_of")),
    ],
)
def test_missing_in_ropo_only_where_ropo_should_have_spoken(
    world: World, row: dict[str, str | None], expected: tuple[str, str]
) -> None:
    world.row("1", changed_at=at("2026-03-10 08:00"), **row)
    assert world.judged() == expected


def test_missing_in_ropo_where_the_first_event_is_overdue(world: World) -> None:
    world.row("1", sent_at=at("2026-03-07 23:00"), changed_at=at("2026-03-10 08:00"))
    three = msgspec.structs.replace(world.profile, first_event_days=3)
    assert world.judged(profile=three, now=at("2026-03-10 22:59")) == ("matched", "never_spoken_of")
    assert world.judged(profile=three, now=at("2026-03-10 23:00")) == ("missing_in_ropo", "first_event_overdue")


def test_unknown_status_an_unmapped_code_newer_than_the_newest_that_means_something(world: World) -> None:
    world.comment("1", "110", "2026-03-10 08:00")
    world.comment("1", "66", "2026-03-10 09:00")
    world.comment("1", "98", "2026-03-10 10:00")  # a message makes nothing known
    world.row("1")
    assert world.judged() == ("unknown_status", "code")


def test_an_unmapped_code_is_overtaken_by_a_newer_mapped_one(world: World) -> None:
    world.comment("1", "66", "2026-03-10 09:00")
    world.comment("1", "110", "2026-03-10 10:00")
    world.row("1")
    assert world.judged() == ("matched", None)


def test_unknown_status_a_payment_type_that_the_map_lacks_whatever_its_age(world: World) -> None:
    world.payment("1", "3", "2026-03-01", kind="77")
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    assert world.judged() == ("unknown_status", "payment_type")


def test_unknown_status_a_word_of_the_ledger(world: World) -> None:
    world.comment("1", "98")
    world.row("1", "offen")
    item = world.only_item()
    assert (item["category"], item["reason"], item["ledger_word"]) == ("unknown_status", "ledger_word", "offen")


def test_a_code_mapped_later_is_known_then(world: World) -> None:
    world.comment("1", "66")
    world.row("1", "due")
    assert world.judged() == ("unknown_status", "code")
    events = {"comment": {**STATUS_MAP.events["comment"], "66": Meaning(stage="due")}}
    assert world.judged(status_map=msgspec.structs.replace(STATUS_MAP, events=events)) == ("matched", None)


def test_ledger_inconsistent_amounts_that_do_not_add_up(world: World) -> None:
    world.comment("1", "98")
    world.row("1", open="93")
    assert world.judged() == ("ledger_inconsistent", "amounts_do_not_add_up")


def test_ledger_inconsistent_paid_with_something_open(world: World) -> None:
    world.comment("1", "101")
    world.row("1", "paid", paid="60", open="40")
    assert world.judged() == ("ledger_inconsistent", "paid_but_open")


@pytest.mark.parametrize(
    ("code", "row", "reason"),
    [
        ("150", {"status": "cancelled"}, "ends_differ"),
        ("150", {"status": "paid", "paid": "100"}, "ended_in_ropo_paid_in_ledger"),
        ("101", {"status": "cancelled"}, "ended_in_ledger_paid_in_ropo"),
        ("160", {}, "ended_in_ropo"),
        ("110", {"status": "cancelled"}, "ended_in_ledger"),
    ],
)
def test_an_end_of_one_side_alone_or_another_than_the_other_is_a_status_conflict(
    world: World, code: str, row: dict[str, str], reason: str
) -> None:
    world.comment("1", code)
    world.row("1", **row)
    assert world.judged() == ("status_conflict", reason)


def test_a_payment_that_the_ledger_lacks_leaves_it_behind(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    item = world.only_item()
    assert (item["category"], item["reason"], item["caused_on"]) == ("ledger_behind", "payment", DAY)


def test_a_stage_that_the_ledger_lacks_leaves_it_behind(world: World) -> None:
    world.comment("1", "130")
    world.row("1", "sent")
    assert world.judged() == ("ledger_behind", "stage")


def test_ledger_ahead_in_payment_and_in_stage(world: World) -> None:
    world.comment("1", "110")
    world.row("1", paid="40")
    world.comment("2", "110")
    world.row("2", "reminded")
    world.comment("3", "110")
    world.row("3", "paid", paid="98", discount="2")
    items = world.items(world.reconcile())
    assert [(item["category"], item["reason"]) for item in items.values()] == [
        ("ledger_ahead", "payment"), ("ledger_ahead", "stage"), ("ledger_ahead", "payment")
    ]  # fmt: skip


def test_a_discount_alone_is_not_called_a_payment(world: World) -> None:
    world.payment("1", "98")
    world.payment("1", "2", kind="8")
    world.row("1", paid="98")
    world.payment("2", "98")
    world.row("2", "paid", paid="98", discount="2")
    items = world.items(world.reconcile())
    assert (items["b:1"]["category"], items["b:1"]["reason"]) == ("ledger_behind", "discount")
    assert (items["b:2"]["category"], items["b:2"]["reason"]) == ("ledger_ahead", "discount")


def test_a_discount_that_ropo_lacks_is_called_so_though_the_rest_is_collected(world: World) -> None:
    world.payment("1", "60", "2026-03-08")
    world.comment("1", "140")
    world.row("1", "paid", paid="60", discount="2", credited="38")
    item = world.only_item()
    assert (item["category"], item["reason"], item["caused_on"]) == ("ledger_ahead", "discount", None)


def test_a_discount_that_what_is_open_shows_is_one_of_the_ledgers_where_the_erp_keeps_none(world: World) -> None:
    world.payment("1", "2", kind="8")
    world.row("1", paid="0", discount=None, open="98")
    # What is left open shows none, or nothing is said of it.
    world.payment("2", "2", kind="8")
    world.row("2", paid="0", discount=None, open="100")
    world.payment("3", "50")
    world.payment("3", "2", kind="8")
    world.row("3", paid="0", discount=None, open=None)
    items = world.items(world.reconcile())
    assert [(item["category"], item["reason"]) for item in items.values()] == [
        ("matched", None), ("ledger_behind", "discount"), ("ledger_behind", "payment")
    ]  # fmt: skip


def test_what_ropo_calls_paid_though_the_payments_agree_is_not_called_a_payment(world: World) -> None:
    world.payment("1", "60")
    world.comment("1", "101")
    world.row("1", paid="60")
    # A discount agrees as well.
    world.payment("2", "58")
    world.payment("2", "2", kind="8")
    world.comment("2", "101")
    world.row("2", paid="58", discount="2")
    items = world.items(world.reconcile())
    assert [(item["category"], item["reason"]) for item in items.values()] == [("ledger_behind", "closed_in_ropo")] * 2


def test_a_payment_that_ropo_took_back_leaves_the_ledger_ahead(world: World) -> None:
    world.payment("1", "100", "2026-03-08")
    world.comment("1", "101", "2026-03-08 09:00")
    world.payment("1", "-100")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["category"], item["reason"], item["caused_on"]) == ("ledger_ahead", "taken_back", DAY)


def test_a_refund_of_ropos_that_the_ledger_lacks_is_no_payment_booked_twice(world: World) -> None:
    world.payment("1", "120", "2026-03-08")
    world.payment("1", "-20")
    world.row("1", "paid", paid="120")
    assert world.judged() == ("amount_mismatch", "taken_back")


@pytest.mark.parametrize("scope", ["date", "full"])
def test_what_ropo_goes_on_collecting_though_the_ledger_has_credited_it_is_told(world: World, scope: str) -> None:
    """Ropo One was never told of the credit note: the debtor is dunned for what nobody is owed."""
    world.comment("1", "110", "2026-03-01 08:00")
    world.payment("1", "60", "2026-03-08")
    world.comment("1", "140", "2026-03-10 09:00")
    world.row("1", "paid", paid="60", credited="40")
    item = world.only_item(scope=scope)
    assert (item["category"], item["reason"], item["caused_on"]) == ("ledger_ahead", "still_collected", DAY)
    assert item["ropo_status"] == "partly_paid"


def test_what_ropo_goes_on_collecting_is_told_though_it_had_called_it_paid_before_it_took_a_payment_back(
    world: World,
) -> None:
    world.payment("1", "100", "2026-03-06")
    world.comment("1", "101", "2026-03-06 09:00")
    world.payment("1", "-40", "2026-03-08")
    world.comment("1", "140", "2026-03-10 09:00")
    world.row("1", "paid", paid="60", credited="40")
    assert world.judged() == ("ledger_ahead", "still_collected")


@pytest.mark.parametrize(
    ("before", "code", "row"),
    [
        ("130", None, {"status": "paid", "paid": "60", "credited": "40"}),  # reminded before it was paid
        (None, "101", {"status": "paid", "paid": "60", "credited": "40"}),  # Ropo One calls it paid
        (None, "140", {"paid": "60"}),  # the rest is open on both sides
    ],
)
def test_what_ropo_does_not_go_on_collecting_or_rightly_does_is_none(
    world: World, before: str | None, code: str | None, row: dict[str, str]
) -> None:
    if before:
        world.comment("1", before, "2026-03-01 09:00")
    world.payment("1", "60", "2026-03-08")
    if code:
        world.comment("1", code, "2026-03-10 09:00")
    world.row("1", **row)
    assert world.judged() == ("matched", None)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ([("140", "2026-03-10 09:00")], ("ledger_ahead", "still_collected")),
        ([("140", "2026-03-07 09:00")], ("matched", None)),  # before the other job was paid
        ([("140", "2026-03-10 09:00"), ("101", "2026-03-10 10:00")], ("matched", None)),
        ([("120", "2026-03-10 09:00")], ("matched", None)),
    ],
)
def test_a_job_that_was_sent_again_and_is_collected_though_the_other_was_paid_is_told(
    world: World, since: list[tuple[str, str]], expected: tuple[str, str | None]
) -> None:
    world.comment("1", "110", "2026-03-01 08:00", jobid="A")
    world.comment("1", "110", "2026-03-02 08:00", jobid="B")
    world.payment("1", "100", "2026-03-08", jobid="A")
    for code, when in since:
        world.comment("1", code, when, jobid="B")
    world.row("1", "paid", paid="100", jobid=None, changed_at=at("2026-03-10 08:00"))
    assert world.judged() == expected


@pytest.mark.parametrize("word", ["open", "paid"])
def test_paid_in_part_and_the_rest_credited_on_both_sides_is_matched(world: World, word: str) -> None:
    world.payment("1", "40", "2026-03-08")
    world.comment("1", "150")
    world.row("1", word, paid="40", credited="60")
    assert world.judged() == ("matched", None)
    world.payment("2", "30", "2026-03-08")
    world.comment("2", "150")
    world.row("2", word, paid="40", credited="60")
    items = world.items(world.reconcile())
    assert (items["b:2"]["category"], items["b:2"]["reason"]) == ("amount_mismatch", "payments")


@pytest.mark.parametrize("word", ["open", "paid"])
def test_a_discount_that_ropo_took_back_is_none_that_the_ledger_grants(world: World, word: str) -> None:
    world.payment("1", "100")
    world.payment("1", "-5", kind="8")
    world.row("1", word, paid="100", discount=None, open=None)
    assert world.judged() == ("ledger_ahead", "taken_back")


def test_amount_mismatch_of_a_partial_payment(world: World) -> None:
    world.payment("1", "60")
    world.row("1", paid="50")
    assert world.judged() == ("amount_mismatch", "payments")


@pytest.mark.parametrize(("paid", "discount", "reason"), [("60.02", "0", "payments"), ("60", "0.02", "discounts")])
def test_amount_mismatch_within_the_tolerance_is_none(world: World, paid: str, discount: str, reason: str) -> None:
    world.payment("1", "60.00")
    world.row("1", paid=paid, discount=discount)
    two_cents = msgspec.structs.replace(world.profile, amount_tolerance=Decimal("0.02"))
    assert world.judged() == ("amount_mismatch", reason)
    assert world.judged(profile=two_cents) == ("matched", None)
