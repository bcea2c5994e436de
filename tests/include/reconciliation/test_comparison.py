"""Each category from a case of its own, and the invoice stories that a controller meets."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.status_map import Meaning
from tests.include.reconciliation.world import DAY, STATUS_MAP, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

LATER = at("2026-03-20 12:00")


# ----- each category


def test_matched_paid_on_both_sides(world: World) -> None:
    world.payment("1", "100")
    world.comment("1", "101")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["category"], item["reason"]) == ("matched", None)
    assert (item["ropo_status"], item["ledger_status"]) == ("paid", "paid")
    assert (item["ropo_paid"], item["ledger_paid"], item["currency"]) == (100, 100, "EUR")


def test_unparseable_a_row_of_it_waits_in_quarantine(world: World) -> None:
    world.comment("1", "98")
    world.row("1")
    world.quarantine(b'{"billnum": " 1 ", "jobid": "J1", "amount": "twelve"}', at("2026-03-10 10:00"))
    assert world.judged() == ("unparseable", "row_in_quarantine")


def test_unparseable_even_where_nothing_but_the_bad_row_is_known(world: World) -> None:
    world.quarantine(b'{"billnum": 7, "statustime": "2026-03-10 08:00:00", "amount": "twelve"}', at("2026-03-10 10:00"))
    item = world.only_item()
    assert (item["invoice_key"], item["category"], item["event_count"]) == ("b:7", "unparseable", 0)


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


def test_duplicate_in_ledger_by_jobid(world: World) -> None:
    world.comment("1", "98")
    world.row("1", paid="10", open="90")
    world.row("1", paid="10", open="90")
    result = world.reconcile()
    assert result.categories == {"duplicate_in_ledger": {"pending": 1}}
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


def test_missing_in_ledger(world: World) -> None:
    world.comment("1", "98")
    assert world.judged() == ("missing_in_ledger", "no_row")


@pytest.mark.parametrize("number", ["INV-0012", "12", "00012"])
def test_near_misses_are_hinted_at_and_never_matched(world: World, number: str) -> None:
    world.comment("012", "98")
    world.row(number, jobid=None, changed_at=at("2026-03-10 08:00"))
    items = world.items(world.reconcile())
    assert items["b:012"]["category"] == "missing_in_ledger"
    assert items["b:012"]["hint"] == f"the ledger has {number}"
    assert items[f"b:{number}"]["hint"] == "Ropo has 012"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"status": "paid", "paid": "100"}, ("missing_in_ropo", "payment")),
        ({"paid": "30"}, ("missing_in_ropo", "payment")),
        ({"status": "cancelled"}, ("missing_in_ropo", "end")),
        ({"status": "paid", "paid": "100", "by_ropo": False}, ("matched", "never_spoken_of")),
        ({}, ("matched", "never_spoken_of")),
        ({"total": "-100"}, ("matched", "never_spoken_of")),
    ],
)
def test_missing_in_ropo_only_where_ropo_should_have_spoken(
    world: World, row: dict[str, str], expected: tuple[str, str]
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
def test_status_conflict(world: World, code: str, row: dict[str, str], reason: str) -> None:
    world.comment("1", code)
    world.row("1", **row)
    assert world.judged() == ("status_conflict", reason)


def test_ledger_behind_in_payment(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    item = world.only_item()
    assert (item["category"], item["reason"], item["caused_on"]) == ("ledger_behind", "payment", DAY)


def test_ledger_behind_in_stage(world: World) -> None:
    world.comment("1", "130")
    world.row("1", "sent")
    assert world.judged() == ("ledger_behind", "stage")


def test_ledger_ahead_in_payment_and_in_stage(world: World) -> None:
    world.comment("1", "110")
    world.row("1", paid="40")
    world.comment("2", "110")
    world.row("2", "reminded")
    items = world.items(world.reconcile())
    assert (items["b:1"]["category"], items["b:1"]["reason"]) == ("ledger_ahead", "payment")
    assert (items["b:2"]["category"], items["b:2"]["reason"]) == ("ledger_ahead", "stage")


def test_amount_mismatch_of_a_partial_payment(world: World) -> None:
    world.payment("1", "60")
    world.row("1", paid="50")
    assert world.judged() == ("amount_mismatch", "payments")


def test_amount_mismatch_within_the_tolerance_is_none(world: World) -> None:
    world.payment("1", "60.00")
    world.row("1", paid="60.02")
    two_cents = msgspec.structs.replace(world.profile, amount_tolerance=Decimal("0.02"))
    assert world.judged() == ("amount_mismatch", "payments")
    assert world.judged(profile=two_cents) == ("matched", None)


# ----- states


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
    ("at_ropo", "in_ledger", "reason"), [("120", "100", "overpaid_in_ropo"), ("100", "120", "overpaid_in_ledger")]
)
def test_an_overpayment_of_one_side_is_told_apart(world: World, at_ropo: str, in_ledger: str, reason: str) -> None:
    world.payment("1", at_ropo)
    world.row("1", "paid", paid=in_ledger)
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


def test_what_has_ended_alike_is_compared_by_its_sums_and_no_more_by_its_payment(world: World) -> None:
    for number, paid in (("1", "0"), ("2", "60")):
        world.comment(number, "101", "2026-03-09 09:00")
        world.comment(number, "150")
        world.row(number, "credited", credited="100", paid=paid)
    items = world.items(world.reconcile())
    assert items["b:1"]["category"] == "matched"
    assert items["b:2"]["category"] == "amount_mismatch"


def test_payments_of_the_print_service_are_not_compared(world: World) -> None:
    world.comment("1", "120")
    world.row("1", "paid", paid="100", by_ropo=False)
    assert world.judged() == ("matched", "print_service")


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


def test_of_one_second_the_number_in_the_statusid_decides(world: World) -> None:
    world.comment("1", "120", statusid="C9")
    world.comment("1", "130", statusid="C10")
    world.row("1", "reminded")
    assert world.judged() == ("matched", None)


def test_amounts_without_a_currency_take_the_ledgers_or_the_profiles(world: World) -> None:
    world.payment("1", "10")
    world.row("1", paid="10", currency=None)
    world.payment("2", "10")
    world.row("2", paid="10", currency="SEK")
    result = world.reconcile()
    assert {total.currency: total.ropo_paid for total in result.totals} == {"EUR": 10, "SEK": 10}


# ----- whose row is it


def test_sent_again_under_a_new_jobid_is_one_invoice(world: World) -> None:
    world.comment("1", "110", "2026-03-01 09:00", jobid="J1")
    world.payment("1", "100", jobid="J2")
    world.row("1", "paid", paid="100", jobid="J2")
    item = world.only_item()
    assert (item["invoice_key"], item["jobid"], item["category"]) == ("b:1", "J2", "matched")


def test_the_end_of_a_job_that_was_sent_again_is_not_the_end_of_the_invoice(world: World) -> None:
    world.comment("1", "110", "2026-03-01 09:00", jobid="J1")
    world.comment("1", "110", "2026-03-09 09:00", jobid="J2")
    world.comment("1", "160", "2026-03-10 09:00", jobid="J1")
    world.row("1", "sent", jobid="J2")
    assert world.judged() == ("matched", None)


def test_sent_again_and_the_ledger_knows_the_new_jobid_before_ropo_speaks_of_it(world: World) -> None:
    world.comment("1", "98", jobid="J1")
    world.row("1", jobid="J2")
    assert world.judged() == ("matched", None)


def test_one_billnum_in_two_years_is_two_invoices_where_the_ledger_has_a_row_for_each(world: World) -> None:
    world.payment("1", "100", "2025-03-10", jobid="J1", seen=at("2025-03-10 10:00"))
    world.row("1", "paid", paid="100", jobid="J1", sent_at=None)
    world.payment("1", "70", jobid="J2")
    world.row("1", total="70", paid="0", jobid="J2")
    items = world.items(world.reconcile())
    assert {key: item["category"] for key, item in items.items()} == {"j:J2": "ledger_behind"}


def test_one_billnum_used_again_before_ropo_speaks_of_the_second(world: World) -> None:
    world.payment("1", "100", jobid="J1")
    world.row("1", "paid", paid="100", jobid="J1")
    world.row("1", jobid="J2", changed_at=at("2026-03-10 08:00"))
    items = world.items(world.reconcile())
    assert {key: item["category"] for key, item in items.items()} == {"j:J1": "matched", "j:J2": "matched"}


def test_an_erp_without_jobids_is_matched_by_trimmed_billnum(world: World) -> None:
    world.payment("1", "100")
    world.row("  1 ", "paid", paid="100", jobid=None)
    assert world.judged() == ("matched", None)


def test_an_event_that_names_only_a_jobid_finds_its_row_and_its_number(world: World) -> None:
    world.payment(None, "100", jobid="J1")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["invoice_key"], item["billnum"], item["category"]) == ("b:1", "1", "matched")


# ----- grace


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


def test_grace_never_starts_again_while_the_invoice_stays_unmatched(world: World) -> None:
    world.payment("1", "60", "2026-03-09", seen=at("2026-03-09 10:00"))
    world.row("1")
    first = world.items(world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:00")))["b:1"]
    assert first["pending_until"] == at("2026-03-10 22:00")
    world.payment("1", "40")  # a newer cause, on the next day
    assert world.only_item(now=at("2026-03-10 23:00"))["pending_until"] is None


def test_grace_starts_anew_after_the_invoice_was_matched(world: World) -> None:
    world.payment("1", "60", "2026-03-09", seen=at("2026-03-09 10:00"))
    world.row("1")
    world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:00"))
    world.ledger("UPDATE ropo_ledger SET paid = 60, open = 40")
    world.reconcile(datetime.date(2026, 3, 9), now=at("2026-03-09 23:30"))
    world.payment("1", "40")
    assert world.only_item(now=at("2026-03-10 23:00"))["pending_until"] == at("2026-03-11 22:00")


def test_without_grace_a_difference_is_a_break_at_once(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    none = msgspec.structs.replace(world.profile, grace_business_days=0)
    assert world.only_item(profile=none)["pending_until"] is None
