"""Figures, moments and addresses, as the templates write them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from reconciliation_page.rendering import (
    address,
    ago,
    category_words,
    count,
    day,
    moment,
    money,
    sentence,
    signed,
    signed_money,
    state_words,
)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (None, "never"),
        (-120, "just now"),
        (59, "just now"),
        (60, "1\u00a0min ago"),
        (119, "1\u00a0min ago"),
        (120, "2\u00a0min ago"),
        (7_199, "119\u00a0min ago"),
        (7_200, "2\u00a0h ago"),
        (172_799, "47\u00a0h ago"),
        (172_800, "2\u00a0d ago"),
    ],
)
def test_how_long_ago_something_was_is_told_in_the_largest_unit_of_which_two_are_over(
    seconds: int | None, told: str
) -> None:
    assert ago(None if seconds is None else datetime.timedelta(seconds=seconds)) == told


@pytest.mark.parametrize(("number", "told"), [(5, "+5"), (1234, "+1\u202f234"), (0, "0"), (-1234, "\u22121\u202f234")])
def test_a_difference_has_its_sign_and_none_where_there_is_none(number: int, told: str) -> None:
    assert signed(number) == told
    assert signed_money(Decimal(number)) == f"{told}.00"


def test_an_amount_below_nothing_has_a_minus_and_where_nothing_is_known_a_dash_stands() -> None:
    assert [money("-0.5"), money(Decimal("1234.5")), money("0")] == ["\u22120.50", "1\u202f234.50", "0.00"]
    assert [money(None), count(None), moment(None, ZoneInfo("Europe/Helsinki"))] == ["–"] * 3
    assert count(0) == "0"


def test_a_moment_is_told_by_the_markets_clock() -> None:
    late = datetime.datetime(2026, 3, 10, 22, 30, tzinfo=datetime.UTC)
    assert moment(late, ZoneInfo("Europe/Helsinki")) == "2026-03-11 00:30"
    assert day(datetime.date(2026, 3, 1)) == "Sun 1 Mar 2026"


def test_an_address_leaves_out_what_is_not_chosen_and_keeps_a_zero_and_every_one_of_several() -> None:
    parameters = {"profile": "a b", "text": "", "date": None, "none": [], "since": 0, "id": [1, 2]}
    assert address("/airflow", "invoices/a?b/ä", parameters) == (
        "/airflow/invoices/a%3Fb/%C3%A4?profile=a+b&since=0&id=1&id=2"
    )
    assert address("", "", {"date": None}) == "/"


def test_a_name_without_words_of_its_own_stands_as_it_is() -> None:
    assert [category_words("missing_in_ledger"), category_words("of_tomorrow")] == [
        "Missing in the ledger",
        "of_tomorrow",
    ]
    assert [state_words("partly_paid"), state_words("of_tomorrow"), state_words(None)] == [
        "partly paid",
        "of_tomorrow",
        "",
    ]
    assert [sentence("an ERP is"), sentence("")] == ["An ERP is", ""]
