"""Numbers and their nouns, as people read them."""

from __future__ import annotations

import pytest

from include.reconciliation.categories import counted_category
from include.reconciliation.wording import counted, grouped
from reconciliation_page.rendering import count


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0"), (999, "999"), (1000, "1\u202f000"), (1234567, "1\u202f234\u202f567"), (-1234, "-1\u202f234")],
)
def test_no_number_has_a_comma_which_is_a_decimal_sign_to_some(number: int, told: str) -> None:
    assert grouped(number) == told


def test_a_sentence_and_a_figure_of_the_page_write_a_number_alike() -> None:
    figure = count(12_345)
    assert counted(12_345, "invoice") == f"{figure} invoices"
    assert counted_category("ledger_behind", 12_345) == f"{figure} behind in the ledger"
