"""Numbers and their nouns, as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.config.wording import counted, grouped, grouped_money, plain_money
from include.reconciliation.categories import counted_category
from reconciliation_page.rendering import count


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0"), (999, "999"), (1000, "1\u202f000"), (1234567, "1\u202f234\u202f567"), (-1234, "-1\u202f234")],
)
def test_no_number_has_a_comma_which_is_a_decimal_sign_to_some(number: int, told: str) -> None:
    assert grouped(number) == told


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("900.70000000000000000000", "900.70"),
        ("1234567", "1\u202f234\u202f567.00"),
        ("-0.125000", "-0.125"),
        ("1E+2", "100.00"),
        (
            "12345678901234567890123456789.05",
            "12\u202f345\u202f678\u202f901\u202f234\u202f567\u202f890\u202f123\u202f456\u202f789.05",
        ),
    ],
)
def test_money_has_two_digits_at_least_and_every_one_that_says_something(amount: str, shown: str) -> None:
    assert grouped_money(Decimal(amount)) == shown
    assert plain_money(Decimal(amount)) == shown.replace("\u202f", "")


def test_a_sentence_and_a_figure_of_the_page_write_a_number_alike() -> None:
    figure = count(12_345)
    assert counted(12_345, "invoice") == f"{figure} invoices"
    assert counted_category("ledger_behind", 12_345) == f"{figure} behind in the ledger"
