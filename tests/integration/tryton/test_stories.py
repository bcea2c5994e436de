"""The lives of invoices told by Ropo and booked in Tryton: what a controller sees at each step.

The ledger's side changes through Tryton alone; what Tryton cannot hold is told in the stories of a plain table, in
tests/include/reconciliation/test_stories.py.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.status_map import Meaning
from tests.include.reconciliation.world import NOW
from tests.integration.tryton.books import BOOKED_ON

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.tryton.books import Books

GREEN = ("matched", None, "reconciled")


@pytest.fixture(autouse=True)
def _everything_is_known(books: Books) -> None:
    books.reread_poll_id = books.know_all()


def test_posted_and_ropo_has_nothing_to_say_but_a_message(books: Books) -> None:
    number = books.invoice()
    books.said(number, "98")
    assert books.seen(number) == GREEN


def test_paid_in_part_then_in_full(books: Books) -> None:
    number = books.invoice()
    books.told(number, "40.00")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "40.00")
    assert books.seen(number) == GREEN
    books.told(number, "60.00")
    books.said(number, "101")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "60.00")
    assert books.seen(number) == GREEN


def test_a_part_payment_booked_with_another_amount(books: Books) -> None:
    number = books.invoice()
    books.told(number, "40.00")
    books.pay(number, "30.00")
    assert books.seen(number) == ("amount_mismatch", "payments", "breaks")
    books.pay(number, "10.00")
    assert books.seen(number) == GREEN


def test_booked_before_ropo_tells_it(books: Books) -> None:
    number = books.invoice()
    books.said(number, "98")
    books.pay(number, "100.00")
    assert books.seen(number) == ("ledger_ahead", "payment", "breaks")
    books.told(number, "100.00")
    assert books.seen(number) == GREEN


def test_overpaid(books: Books) -> None:
    number, other = books.invoice(), books.invoice()
    books.told(number, "120.00")
    books.said(number, "101")
    books.pay(number, "120.00")
    assert books.seen(number) == GREEN
    books.told(other, "120.00")
    books.pay(other, "100.00")
    assert books.seen(other) == ("amount_mismatch", "overpaid_in_ropo", "breaks")


def test_a_payment_that_the_bank_took_back_and_that_came_again(books: Books) -> None:
    number = books.invoice()
    books.told(number, "100.00", "2026-03-06")
    books.said(number, "101", "2026-03-06 10:00")
    books.pay(number, "100.00")
    books.told(number, "-100.00")
    assert books.seen(number) == ("ledger_ahead", "taken_back", "breaks")
    books.tryton.ask("reverse", number=number)
    assert books.seen(number) == GREEN
    books.told(number, "100.00")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "100.00")
    assert books.seen(number) == GREEN


def test_a_cash_discount(books: Books) -> None:
    number, other = books.invoice(), books.invoice()
    for each in (number, other):
        books.told(each, "98.00")
        books.told(each, "2.00", kind="8")
        books.said(each, "101")
    books.pay(number, "98.00", discount="2.00")
    books.pay(other, "100.00")
    assert books.seen(number)[:2] == ("matched", None)
    assert books.seen(other) == ("amount_mismatch", "booked_otherwise", "breaks")


def test_a_cash_discount_where_the_select_shows_none(books: Books, tmp_path: Path) -> None:
    query = tmp_path / "without_discount.sql"
    query.write_text(
        "SELECT billnum, jobid, status, total, paid, NULL::numeric AS discount, credited, open, currency, sent_at, "
        f"changed_at, payments_by_ropo FROM ({books.profile.ledger.query.read_text(encoding='utf-8')}) AS tryton"
    )
    ledger = msgspec.structs.replace(books.profile.ledger, query=query)
    profile = msgspec.structs.replace(books.profile, ledger=ledger)
    number = books.invoice()
    books.told(number, "98.00")
    books.told(number, "2.00", kind="8")
    assert books.seen(number, profile=profile) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "98.00", discount="2.00")
    assert books.seen(number, profile=profile) == GREEN


def test_credited_in_full(books: Books) -> None:
    number = books.invoice()
    books.said(number, "150")
    assert books.seen(number) == ("status_conflict", "ended_in_ropo", "breaks")
    books.tryton.ask("credit", number=number, date=BOOKED_ON)
    assert books.seen(number) == GREEN


def test_credited_with_a_refund(books: Books) -> None:
    number = books.invoice()
    books.said(number, "98")
    books.tryton.ask("credit", number=number, date=BOOKED_ON, refund=True)
    assert books.seen(number) == ("status_conflict", "ended_in_ledger", "breaks")
    books.said(number, "150")
    assert books.seen(number) == GREEN


def test_credited_in_part_and_the_rest_paid(books: Books) -> None:
    number = books.invoice()
    books.tryton.ask("credit", number=number, date=BOOKED_ON, total="30.00")
    books.told(number, "70.00")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "70.00")
    assert books.seen(number) == GREEN


def test_a_credit_note_is_compared_by_existence_and_end(books: Books) -> None:
    note = books.invoice("-50.00")
    books.said(note, "98")
    assert books.seen(note) == ("matched", "credit_note", "reconciled")


def test_cancelled_in_the_erp_after_it_was_sent(books: Books) -> None:
    number = books.invoice()
    books.said(number, "110")
    books.tryton.ask("cancel", number=number)
    assert books.seen(number) == ("status_conflict", "ended_in_ledger", "breaks")
    books.said(number, "160")
    assert books.seen(number) == GREEN


def test_credited_at_ropo_and_cancelled_in_the_erp(books: Books) -> None:
    number = books.invoice()
    books.said(number, "150")
    books.tryton.ask("cancel", number=number)
    assert books.seen(number) == ("status_conflict", "ends_differ", "breaks")


def test_sent_again_under_a_new_jobid(books: Books) -> None:
    number = books.invoice()
    books.said(number, "110", "2026-03-03 09:00")
    books.said(number, "160", "2026-03-09 09:00")
    books.tryton.ask("set_jobid", number=number, jobid=f"{books.jobid(number)}9")
    books.told(number, "100.00")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "100.00")
    assert books.seen(number) == GREEN


def test_no_jobid_in_the_erp(books: Books) -> None:
    number = books.invoice(jobid=None)
    books.payment(number, "100.00", jobid="770001")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "100.00")
    assert books.seen(number) == GREEN


def test_ropo_names_the_jobid_only(books: Books) -> None:
    number = books.invoice()
    books.payment(None, "100.00", jobid=books.jobid(number))
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "100.00")
    assert books.seen(number) == GREEN


def test_leading_zeros_are_hinted_at_and_never_matched(books: Books) -> None:
    books.invoice(number="0007001", jobid=None)
    books.payment("7001", "100.00", jobid="770002")
    assert books.seen("7001") == ("missing_in_ledger", "no_row", "breaks")
    assert books.store("SELECT hint FROM ropo.reconciliation_item WHERE billnum = '7001'") == [
        ("the ledger has 0007001",)
    ]


def test_ropo_first_and_the_erp_days_later(books: Books) -> None:
    books.comment("7100", "110", jobid="770003")
    assert books.seen("7100") == ("missing_in_ledger", "no_row", "breaks")
    books.invoice(number="7100", jobid="770003")
    assert books.seen("7100") == GREEN


def test_a_code_that_is_not_mapped_and_mapped_later(books: Books) -> None:
    number = books.invoice()
    books.said(number, "66")
    assert books.seen(number) == ("unknown_status", "code", "breaks")
    comments = {**books.status_map.events["comment"], "66": Meaning(stage="due")}
    known = msgspec.structs.replace(books.status_map, events={"comment": comments})
    assert books.seen(number, status_map=known) == GREEN


def test_reminded_then_paid_while_tryton_knows_nothing_of_reminders(books: Books) -> None:
    number = books.invoice()
    books.said(number, "130", "2026-03-09 09:00")
    books.said(number, "98")
    assert books.seen(number) == GREEN
    books.told(number, "100.00")
    assert books.seen(number) == ("ledger_behind", "payment", "breaks")
    books.pay(number, "100.00")
    assert books.seen(number) == GREEN


def test_paid_past_ropo_and_nobody_there_knows_the_invoice(books: Books) -> None:
    sent_on = datetime.date(2026, 3, 12)
    books.reread_poll_id = books.know_all(sent_on)
    of_that_day = {"day": sent_on, "now": NOW + datetime.timedelta(days=2)}
    number = books.invoice(date=str(sent_on))
    assert books.seen(number, **of_that_day) == ("matched", "never_spoken_of", "reconciled")
    books.pay(number, "100.00")
    assert books.seen(number, **of_that_day) == ("missing_in_ropo", "payment", "breaks")


def test_another_currency(books: Books) -> None:
    number = books.invoice("1120.00", currency="SEK")
    books.told(number, "1120.00")
    books.pay(number, "1120.00")
    assert books.seen(number) == GREEN
