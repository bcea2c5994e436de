"""The demo's check fails on anything but exactly the differences that were put in."""

from __future__ import annotations

import datetime
from decimal import Decimal

from demo.outcome import DateOutcome, Item, Outcome, named, surprises, table
from include.simulator.differences import Difference

MONDAY, TUESDAY = datetime.date(2026, 11, 16), datetime.date(2026, 11, 17)
DATES = [MONDAY, TUESDAY]
SEEDED = [Difference("210", "31", "ledger_behind", TUESDAY, (datetime.date(2026, 10, 1), TUESDAY))]
FOUND = Item(TUESDAY, "210", "ledger_behind", "paid", "invoiced", Decimal("96.72"), Decimal("0.00"), "EUR")
RIGHT = Outcome(
    [DateOutcome(1, MONDAY, "reconciled", 5, 5, 0, 0), DateOutcome(2, TUESDAY, "breaks", 9, 8, 0, 1)], [FOUND]
)


def test_exactly_what_was_put_in_is_no_surprise() -> None:
    assert surprises(RIGHT, DATES, SEEDED) == []


def test_a_difference_within_its_grace_is_no_surprise() -> None:
    waiting = RIGHT.dates[1]._replace(verdict="pending", pending=1, breaks=0)
    assert surprises(Outcome([RIGHT.dates[0], waiting], [FOUND]), DATES, SEEDED) == []


def test_a_difference_that_nobody_put_in_is_named() -> None:
    assert surprises(RIGHT, DATES, []) == [
        "2026-11-17: invoice 210 is ledger_behind; not put in",
        "2026-11-17: is breaks, and should be reconciled",
    ]


def test_a_difference_of_another_category_is_named_as_both() -> None:
    other = Outcome(RIGHT.dates, [FOUND._replace(category="amount_mismatch")])
    assert surprises(other, DATES, SEEDED) == [
        "2026-11-17: invoice 210 is amount_mismatch; not put in",
        "2026-11-17: invoice 210 should be ledger_behind; not found",
    ]


def test_a_date_that_is_incomplete_or_absent_is_named() -> None:
    incomplete = RIGHT.dates[1]._replace(verdict="incomplete")
    assert surprises(Outcome([incomplete], [FOUND]), DATES, SEEDED) == [
        "2026-11-16: is without a reconciliation, and should be reconciled",
        "2026-11-17: is incomplete, and should be breaks or pending",
    ]


def test_a_spotless_date_must_be_reconciled() -> None:
    red = RIGHT.dates[0]._replace(verdict="breaks")
    assert surprises(Outcome([red, RIGHT.dates[1]], [FOUND]), DATES, SEEDED) == [
        "2026-11-16: is breaks, and should be reconciled"
    ]


def test_people_see_dates_by_categories_and_both_sides_of_an_invoice() -> None:
    assert table(RIGHT).splitlines() == [
        "date        verdict     invoices  matched  ledger",
        "                                           behind",
        "----------  ----------  --------  -------  ------",
        "2026-11-16  reconciled  5         5        ·",
        "2026-11-17  breaks      9         8        1",
    ]
    assert named(RIGHT).splitlines()[-1].split() == [
        "210", "2026-11-17", "ledger_behind", "paid", "invoiced", "96.72", "EUR", "0.00", "EUR",
    ]  # fmt: skip
