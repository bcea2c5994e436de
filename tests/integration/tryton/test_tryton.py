"""Tryton as the ledger: what its SELECT shows, and the lives of invoices told by Ropo and booked in Tryton.

Tests of one file share one Tryton. The ledger's side changes through Tryton alone; what Tryton cannot hold is told in
the stories of a plain table, in tests/include/reconciliation/test_stories.py.
"""

from __future__ import annotations

import datetime
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest
from psycopg2 import errors

from demo import outcome
from demo.connections import LEDGERS, PROFILES_FILES
from demo.data import MARKET, Data
from demo.tryton import ledger as demo
from include.config.profiles import load_profile
from include.config.status_map import Meaning, load_status_map
from include.reconciliation.check_ledger import check
from include.reconciliation.ledger_contract import check_contract
from local_airflow.paths import airflow_home
from tests.include.reconciliation.world import NOW, World
from tests.integration.tryton.books import BOOKED_ON, INVOICED_ON

if TYPE_CHECKING:
    from pathlib import Path

    from demo.tryton.client import Tryton
    from local_airflow.embedded import Server
    from tests.integration.tryton.books import Books

GREEN = ("matched", None, "reconciled")


@pytest.fixture(autouse=True)
def _everything_is_known(books: Books) -> None:
    books.reread_poll_id = books.know_all()


# ----- what tryton.sql shows is what Tryton's own accounting says


def test_the_select_keeps_the_contract_with_the_rights_of_the_reader_alone(books: Books) -> None:
    with closing(psycopg2.connect(books.ledger_dsn)) as connection, connection.cursor() as cursor:
        check_contract(connection, books.profile)
        with pytest.raises(errors.InsufficientPrivilege, match="party_party"):
            cursor.execute("SELECT name FROM party_party")
        connection.rollback()
        with pytest.raises(errors.InsufficientPrivilege, match="account_invoice"):
            cursor.execute("UPDATE account_invoice SET state = 'paid'")


def test_an_invoice_is_what_a_tryton_user_has(books: Books) -> None:
    number = books.invoice(jobid="3081000")
    row = books.shown(number)
    assert (row["jobid"], row["currency"], row["sent_at"], row["payments_by_ropo"]) == (
        "3081000",
        "EUR",
        INVOICED_ON,
        None,
    )
    assert row["changed_at"] is not None
    assert books.shown(books.invoice(jobid=None))["jobid"] is None


def test_a_draft_is_not_in_the_ledger(books: Books) -> None:
    books.invoice(draft=True, number=None, jobid="3080999")
    assert books.ledger(f"SELECT count(*) FROM ({books.query}) AS ledger WHERE jobid = '3080999'") == [(0,)]


def test_posted_paid_in_part_and_paid(books: Books) -> None:
    number = books.invoice()
    assert books.amounts(number) == ("posted", "100.00", "0.00", "0.00", "0.00", "100.00")
    assert books.pay(number, "40.00") == "posted"
    assert books.amounts(number) == ("posted", "100.00", "40.00", "0.00", "0.00", "60.00")
    assert books.pay(number, "60.00") == "paid"
    assert books.amounts(number) == ("paid", "100.00", "100.00", "0.00", "0.00", "0.00")


def test_an_overpayment_is_open_below_zero(books: Books) -> None:
    number = books.invoice()
    assert books.pay(number, "120.00") == "paid"
    assert books.amounts(number) == ("paid", "100.00", "120.00", "0.00", "0.00", "-20.00")


def test_a_payment_that_the_bank_took_back(books: Books) -> None:
    number = books.invoice()
    books.pay(number, "100.00")
    assert books.tryton.ask("reverse", number=number) == "posted"
    assert books.amounts(number) == ("posted", "100.00", "0.00", "0.00", "0.00", "100.00")


def test_of_two_payments_the_second_taken_back(books: Books) -> None:
    number = books.invoice()
    books.pay(number, "40.00")
    books.pay(number, "60.00")
    books.tryton.ask("reverse", number=number)
    assert books.amounts(number) == ("posted", "100.00", "40.00", "0.00", "0.00", "60.00")


def test_a_part_payment_taken_back(books: Books) -> None:
    number = books.invoice()
    books.pay(number, "40.00")
    books.tryton.ask("reverse", number=number)
    assert books.amounts(number) == ("posted", "100.00", "0.00", "0.00", "0.00", "100.00")


def test_a_cash_discount_is_written_off(books: Books) -> None:
    number = books.invoice()
    assert books.pay(number, "98.00", discount="2.00") == "paid"
    assert books.amounts(number) == ("paid", "100.00", "98.00", "2.00", "0.00", "0.00")


def test_credited_in_full_by_a_credit_note(books: Books) -> None:
    number = books.invoice()
    note = books.tryton.ask("credit", number=number, date=BOOKED_ON)
    assert books.amounts(number) == ("credited", "100.00", "0.00", "0.00", "100.00", "0.00")
    assert books.amounts(note) == ("paid", "-100.00", "0.00", "0.00", "-100.00", "0.00")


def test_credited_in_full_with_a_refund_which_tryton_calls_cancelled(books: Books) -> None:
    number = books.invoice()
    books.tryton.ask("credit", number=number, date=BOOKED_ON, refund=True)
    assert books.amounts(number) == ("credited", "100.00", "0.00", "0.00", "100.00", "0.00")


def test_a_credit_note_over_a_part_of_it(books: Books) -> None:
    number = books.invoice()
    books.tryton.ask("credit", number=number, date=BOOKED_ON, total="30.00")
    assert books.amounts(number) == ("posted", "100.00", "0.00", "0.00", "30.00", "70.00")
    assert books.pay(number, "70.00") == "paid"
    assert books.amounts(number) == ("paid", "100.00", "70.00", "0.00", "30.00", "0.00")


def test_cancelled(books: Books) -> None:
    number = books.invoice()
    books.tryton.ask("cancel", number=number)
    assert books.amounts(number) == ("cancelled", "100.00", "0.00", "0.00", "100.00", "0.00")


def test_a_credit_note_of_its_own(books: Books) -> None:
    note = books.invoice("-50.00")
    assert books.amounts(note) == ("posted", "-50.00", "0.00", "0.00", "0.00", "-50.00")


def test_another_currency_than_the_companys(books: Books) -> None:
    number = books.invoice("1120.00", currency="SEK")
    assert books.shown(number)["currency"] == "SEK"
    assert books.amounts(number) == ("posted", "1120.00", "0.00", "0.00", "0.00", "1120.00")
    books.pay(number, "500.00")
    assert books.amounts(number) == ("posted", "1120.00", "500.00", "0.00", "0.00", "620.00")
    assert books.pay(number, "620.00") == "paid"
    assert books.amounts(number) == ("paid", "1120.00", "1120.00", "0.00", "0.00", "0.00")


def test_one_transfer_for_two_invoices_less_the_credit_note_of_one(books: Books) -> None:
    one, other = books.invoice(party="Korhonen Liisa"), books.invoice("50.00", party="Korhonen Liisa")
    note = books.tryton.ask("credit", number=one, date=BOOKED_ON, total="30.00")
    books.tryton.ask("receive", numbers=[one, other, note], date=BOOKED_ON)
    assert books.amounts(one) == ("paid", "100.00", "70.00", "0.00", "30.00", "0.00")
    assert books.amounts(other) == ("paid", "50.00", "50.00", "0.00", "0.00", "0.00")


def test_invoices_grouped_into_one_debt_stay_open_until_that_is_paid(books: Books) -> None:
    numbers = [books.invoice(party="Mäkinen Eero"), books.invoice("50.00", party="Mäkinen Eero")]
    books.tryton.ask("group", numbers=numbers)
    assert books.amounts(numbers[0]) == ("posted", "100.00", "0.00", "0.00", "0.00", "100.00")
    books.tryton.ask("receive", numbers=numbers, date=BOOKED_ON)
    assert books.amounts(numbers[0]) == ("paid", "100.00", "100.00", "0.00", "0.00", "0.00")
    assert books.amounts(numbers[1]) == ("paid", "50.00", "50.00", "0.00", "0.00", "0.00")


def test_each_change_moves_changed_at(books: Books) -> None:
    number = books.invoice()
    moments = [books.shown(number)["changed_at"]]
    for change in (
        lambda: books.pay(number, "40.00"),
        lambda: books.tryton.ask("reverse", number=number),
        lambda: books.pay(number, "98.00", discount="2.00"),
        lambda: books.tryton.ask("set_jobid", number=number, jobid="3080998"),
    ):
        change()
        moments.append(books.shown(number)["changed_at"])
    assert moments == sorted(set(moments))


# ----- stories: what a controller sees at each step


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
    assert books.seen(number) == ("ledger_ahead", "payment", "breaks")
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


# ----- make demo ERP=tryton


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


# ----- after all of this


def test_every_invoice_of_tryton_adds_up_and_shows_what_tryton_shows(books: Books) -> None:
    books.pay(books.invoice(), "40.00")
    books.tryton.ask("cancel", number=books.invoice())
    shown = {row["billnum"]: row for (row,) in books.ledger(f"SELECT to_jsonb(ledger) FROM ({books.query}) AS ledger")}
    listed = [each for each in books.tryton.ask("list") if each["state"] != "draft"]
    assert {each["number"] for each in listed} == set(shown)
    for each in listed:
        row = {name: Decimal(str(value)) for name, value in shown[each["number"]].items() if name in books.MONEY}
        assert row["total"] == Decimal(each["total_amount"])
        assert row["total"] == row["paid"] + row["discount"] + row["credited"] + row["open"], each
        if each["state"] == "posted":
            # Tryton forgets a grouped debt here; none is grouped and open.
            assert row["open"] == Decimal(each["amount_to_pay"]), each


def test_the_check_before_the_first_run_finds_nothing_wrong_with_it(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = books.invoice()
    books.said(number, "98")
    monkeypatch.setenv("AIRFLOW_CONN_ERP_LEDGER", books.ledger_dsn)
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", books.store_dsn)
    profile = msgspec.structs.replace(
        books.profile, status_map=books.profile.ledger.query.with_name("tryton_status_map.yaml")
    )
    said = {found.subject: (found.level, found.text) for found in check(profile)}
    assert {level for level, _ in said.values()} == {"ok"}, said
    assert said["sample"] == (
        "ok",
        "of 1 invoices that Ropo spoke of last, 1 are found by jobid and 0 more by invoice number",
    )
