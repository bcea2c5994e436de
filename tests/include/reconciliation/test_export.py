"""The items of reconciliations as CSV that a spreadsheet and a program can live with."""

from __future__ import annotations

import csv
import datetime
import io
import re
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from include.reconciliation import export
from include.reconciliation.decisions import accept_breaks
from include.reconciliation.export import COLUMNS, NothingToExportError, export_items
from include.status_store.database import STORE_VARIABLE, connect
from tests.include.reconciliation.world import DAY, NOW, at

if TYPE_CHECKING:
    from include.reconciliation.recorded import Recorded
    from local_airflow.embedded import Server
    from tests.include.reconciliation.world import World

NEXT_DAY = DAY + datetime.timedelta(days=1)


def text_of(world: World, **what: Any) -> str:
    with closing(connect(world.store_dsn)) as store:
        return "".join(export_items(store, world.profile, **what))


def rows_of(text: str, separator: str = ",") -> list[list[str]]:
    lines = io.StringIO(text.removeprefix(export.BYTE_ORDER_MARK), newline="")
    return list(csv.reader(lines, delimiter=separator))


def items_of(text: str) -> list[dict[str, str]]:
    names, *items = (row for row in rows_of(text) if not row[0].startswith("#"))
    return [dict(zip(names, item, strict=True)) for item in items]


def of_day(world: World, first: datetime.date = DAY, last: datetime.date = DAY) -> str:
    return text_of(world, first=first, last=last)


def test_the_head_names_profile_run_cutoffs_and_map(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    made = world.reconcile(
        run_id="scheduled__2026-03-10", dag_id="ropo_reconciliation", reread_poll_id=world.know_all()
    )

    head = [row for row in rows_of(of_day(world)) if row[0].startswith("#")]

    assert head[:2] == [["# reconciliation items of profile", "default"], ["# time zone", "Europe/Helsinki"]]
    values = dict(zip(head[2], head[3], strict=True))
    assert values["# reconciliation"] == f"# {made.reconciliation_id}"
    assert (values["business_date"], values["scope"], values["verdict"]) == ("2026-03-10", "date", "reconciled")
    assert (values["run_id"], values["status_map_version"]) == ("scheduled__2026-03-10", "test")
    assert values["events_cutoff"] == "2026-03-10 12:00:00+02:00"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+0[23]:00", values["ledger_cutoff"])


def test_an_item_has_both_sides_and_its_reason_in_words(world: World) -> None:
    world.payment("1", "60.50")
    world.row("1", "open", "100.00")
    made = world.reconcile()

    (item,) = items_of(of_day(world))

    assert tuple(item) == COLUMNS
    assert (item["business_date"], item["reconciliation_id"]) == ("2026-03-10", str(made.reconciliation_id))
    assert (item["billnum"], item["category"], item["reason"]) == (
        "1", "ledger_behind", "Ropo is further in payment",
    )  # fmt: skip
    assert (item["ropo_paid"], item["ledger_paid"], item["ledger_total"]) == ("60.50", "0.00", "100.00")
    assert (item["ropo_status"], item["ledger_status"], item["currency"]) == ("partly_paid", "unpaid", "EUR")


def test_for_a_spreadsheet_with_a_decimal_comma_cells_are_separated_by_semicolons(world: World) -> None:
    """Such a spreadsheet would take a file with commas for a single column; a comma begins a cell for the others."""
    numbers = ["1;2", "a,=1+1", "=1+1"]
    for number in numbers:
        world.payment(number, "1234.50")
    world.reconcile()

    rows = rows_of(text_of(world, first=DAY, last=DAY, dialect=export.COMMA), ";")

    names, *items = (dict(zip(COLUMNS, row, strict=True)) for row in rows if not row[0].startswith("#"))
    assert {name: name for name in COLUMNS} == names
    assert [item["billnum"] for item in items] == ["1;2", "'=1+1", "a,'=1+1"]
    assert {item["ropo_paid"] for item in items} == {"1234,50"}


def test_an_accepted_break_is_marked(world: World) -> None:
    for billnum in ("1", "2"):
        world.payment(billnum, "60.50")
        world.row(billnum)
    over = NOW + datetime.timedelta(days=2)
    world.reconcile(now=over)
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        accept_breaks(cursor, [1], by="Anna", note="known")
    world.reconcile(now=over)
    assert [(item["billnum"], item["accepted"]) for item in items_of(of_day(world))] == [("1", "yes"), ("2", "")]


def test_an_item_has_the_ledgers_further_rows(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.row("1", "open", total="7777")
    world.row("1", "due", total="8888", discount=None, credited=None, open=None)
    world.row("1", "due", total="9999", discount="2.50", credited="1000.10", open="1")
    world.reconcile()
    (item,) = items_of(of_day(world))
    assert item["further"].split("; ") == [
        "open, total 7777, paid 0, discount 0, credited 0, open 7777",
        "due, total 8888, paid 0, discount none, credited none, open none",
        "due, total 9999, paid 0, discount 2.5, credited 1000.1, open 1",
    ]


def test_an_item_has_what_is_at_stake_and_its_break_as_of_today_with_who_accepted_it(world: World) -> None:
    world.payment("1", "60.50")
    world.row("1")
    world.payment("2", "100")
    world.row("2", "paid", paid="100")
    world.payment("3", "50", "2026-03-12", seen=at("2026-03-10 10:00"))
    world.row("3")
    world.reconcile(now=NOW + datetime.timedelta(days=2))
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        accept_breaks(cursor, [1], by="Anna", note="known")

    names = ("billnum", "at_stake", "severity", "break_id", "break_state", "accepted_by", "accepted_note")
    accepted, matched, pending = [tuple(item[name] for name in names) for item in items_of(of_day(world))]
    # What it was in the reconciliation stands before: there it was not accepted yet.
    assert accepted == ("1", "60.50", "high", "1", "accepted", "Anna", "known")
    assert matched == ("2", "", "", "", "", "", "")
    assert pending == ("3", "50.00", "", "", "", "", "")


def test_what_is_at_stake_of_an_invoice_that_no_side_names_a_sum_of_is_not_known(world: World) -> None:
    world.comment("1", "98")
    world.reconcile()
    (item,) = items_of(of_day(world))
    assert (item["category"], item["at_stake"]) == ("missing_in_ledger", "")


def test_an_items_break_is_the_one_of_its_category_that_it_shows_or_that_came_of_it(world: World) -> None:
    world.row("9")
    over = NOW + datetime.timedelta(days=2)

    def breaks_of(made: Recorded) -> list[tuple[str, str]]:
        text = text_of(world, reconciliation_id=made.reconciliation_id)
        return [(item["category"], item["break_state"]) for item in items_of(text) if item["billnum"] == "1"]

    def pays(amount: str, on: str) -> Recorded:
        world.payment("1", amount, on)
        return world.reconcile(now=over)

    def books(amount: int) -> Recorded:
        world.ledger("UPDATE ropo_ledger SET paid = %s, open = 100 - %s WHERE billnum = '1'", (amount, amount))
        return world.reconcile(now=over)

    world.row("1", paid="5")
    broken = pays("10", "2026-03-10")
    assert breaks_of(broken) == [("amount_mismatch", "open")]
    longer = world.reconcile(now=over, profile=msgspec.structs.replace(world.profile, grace_business_days=20))
    assert (longer.pending, breaks_of(longer)) == (1, [("amount_mismatch", "open")]), "open it is all the same"
    assert breaks_of(books(10)) == [("matched", "")]
    assert breaks_of(broken) == [("amount_mismatch", "resolved")]
    pending = pays("60", "2026-03-12")
    assert breaks_of(pending) == [("amount_mismatch", "")], "that one is over"
    world.reconcile(now=over + datetime.timedelta(days=5))
    assert breaks_of(pending) == [("amount_mismatch", "open")]
    books(70)
    assert breaks_of(pending) == [("amount_mismatch", "resolved")]


def test_the_newest_reconciliation_of_each_date_in_the_order_of_dates_and_invoices(world: World) -> None:
    for billnum in ("b", "a", "B", "ä"):
        world.payment(billnum, "1")
    world.reconcile()
    newest = world.reconcile()
    later = world.reconcile(NEXT_DAY, now=NOW + datetime.timedelta(days=1))
    world.reconcile(NEXT_DAY, now=NOW + datetime.timedelta(days=1), scope="full")

    items = items_of(of_day(world, DAY, NEXT_DAY))

    assert [(item["reconciliation_id"], item["billnum"]) for item in items] == [
        (str(newest.reconciliation_id), billnum) for billnum in ("B", "a", "b", "ä")
    ]
    assert of_day(world) == of_day(world)
    assert f"# {later.reconciliation_id}," in of_day(world, DAY, NEXT_DAY)


def test_a_date_without_a_reconciliation_is_named(world: World) -> None:
    world.reconcile()

    head = rows_of(of_day(world, DAY, DAY + datetime.timedelta(days=2)))

    assert [row[1] for row in head if row[0] == "# no reconciliation of"] == ["2026-03-11", "2026-03-12"]


def test_one_reconciliation_by_its_id_an_older_one_too(world: World) -> None:
    world.payment("1", "1")
    old = world.reconcile()
    world.payment("2", "1")
    world.reconcile()

    assert [item["billnum"] for item in items_of(text_of(world, reconciliation_id=old.reconciliation_id))] == ["1"]


def test_no_text_is_a_formula(world: World) -> None:
    """In a spreadsheet that separates by semicolons, what follows one begins a cell."""
    numbers = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1+1", "a;=1+1", "a; +cmd", " =1+1"]
    for number in numbers:
        world.payment(number, "1")
    world.row("+1", "=word")
    world.reconcile()

    items = items_of(of_day(world))

    cells = [cell for item in items for cell in (item["billnum"], item["ledger_word"])]
    assert [cell for cell in cells if re.search(r"(^|[;\t\r\n])\s*[=+\-@\uff1d]", cell)] == []
    assert sorted(item["billnum"].replace("'", "") for item in items) == sorted(numbers)


@pytest.mark.parametrize(
    ("text", "cell"), [("\t=1", "'\t'=1"), ("\r=1", "'\r'=1"), ("a-b", "a-b"), ("a\n\nb", "a\n\nb")]
)
def test_a_tab_or_a_line_end_begins_no_formula_either(text: str, cell: str) -> None:
    for form in (export.POINT, export.COMMA):
        assert export._cell(text, ZoneInfo("UTC"), form) == cell


def test_a_negative_amount_stays_a_number(world: World) -> None:
    world.payment("1", "-40.10")
    world.reconcile()

    (item,) = items_of(of_day(world))

    assert item["ropo_paid"] == "-40.10"


def test_texts_with_commas_quotes_and_letters_of_any_language_come_back_as_they_are(world: World) -> None:
    number = 'Å"1", ä'
    world.payment(number, "1")
    world.reconcile()

    text = of_day(world)

    assert text.startswith("\ufeff#")
    assert text.endswith("\r\n")
    assert '"Å""1"", ä"' in text
    assert [item["billnum"] for item in items_of(text)] == [number]


@pytest.mark.parametrize(
    "what",
    [{}, {"first": DAY}, {"first": DAY, "last": DAY, "reconciliation_id": 1}, {"first": NEXT_DAY, "last": DAY}],
)
def test_a_period_or_a_reconciliation_is_asked_for(world: World, what: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"expected|ends"):
        text_of(world, **what)


def test_nothing_to_export_is_an_error(world: World) -> None:
    with pytest.raises(NothingToExportError, match="no reconciliation from 2026-03-10 to 2026-03-10"):
        of_day(world)
    with pytest.raises(NothingToExportError, match="no reconciliation 7"):
        text_of(world, reconciliation_id=7)


def test_memory_does_not_grow_with_the_items(world: World) -> None:
    made = world.reconcile()
    peaks = []
    for items in (6_000, 18_000):
        world.store(
            "INSERT INTO ropo.reconciliation_item (reconciliation_id, invoice_key, profile, billnum, category, "
            "event_count, ledger_row_count, currency) SELECT %s, 'b:' || n, 'default', n::text, 'matched', 1, 1, 'EUR' "
            "FROM generate_series(1, %s) AS n ON CONFLICT DO NOTHING RETURNING 1",
            (made.reconciliation_id, items),
        )
        with closing(connect(world.store_dsn)) as store:
            tracemalloc.start()
            size = sum(len(piece) for piece in export_items(store, world.profile, first=DAY, last=DAY))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert size > 50 * items
    assert peaks[1] < 1.2 * peaks[0] < 10_000_000


def test_the_command_writes_bytes_to_standard_output(
    world: World, postgres: Server, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.payment("ä", "1")
    made = world.reconcile()
    monkeypatch.setenv(STORE_VARIABLE, world.store_dsn)

    assert export.main(["--profile", "default", "--from", str(DAY), "--to", str(DAY)]) == 0
    period = capsysbinary.readouterr().out
    assert export.main(["--profile", "default", "--reconciliation", str(made.reconciliation_id)]) == 0

    assert capsysbinary.readouterr().out == period
    assert items_of(period.decode())[0]["billnum"] == "ä"
    assert export.main(["--profile", "default", "--decimal-comma", "--from", str(DAY), "--to", str(DAY)]) == 0
    assert rows_of(capsysbinary.readouterr().out.decode(), ";")[-2] == list(COLUMNS)


def test_the_command_says_what_is_wrong(
    world: World, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, world.store_dsn)

    assert export.main(["--profile", "default", "--reconciliation", "7"]) == 1

    told = capsysbinary.readouterr()
    assert (told.out, told.err) == (b"", b"Profile default: no reconciliation 7\n")


def test_amounts_of_a_ledger_in_cents_come_without_the_digits_of_its_division(world: World) -> None:
    world.payment("1", "100.50")
    world.row("1", "paid", paid="100")
    world.ledger("UPDATE ropo_ledger SET total = 10050 / 100.0, paid = 9050 / 100.0, credited = 300 / 100.0, open = 7")
    world.reconcile()

    [item] = items_of(of_day(world))
    names = ("ropo_paid", "ledger_total", "ledger_paid", "ledger_discount", "ledger_credited", "ledger_open")
    assert [item[name] for name in names] == ["100.50", "100.50", "90.50", "0.00", "3.00", "7.00"]
    assert item["at_stake"] == "10.00"
