"""A place in a list is named in the address of its next page, and an address may say anything."""

from __future__ import annotations

import base64
import json

import pytest

from include.page_data.listing import InvalidPlaceError, Listed, page_or_first, place_name, place_values

KEYS = ("amount", "break_id")


def named(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_a_place_has_the_values_that_it_was_named_by() -> None:
    assert place_values(place_name(["12.50", 7]), KEYS) == {"after_0": "12.50", "after_1": "7"}


@pytest.mark.parametrize(
    ("after", "shown"),
    [("", (["first"], False)), ("there", (["next"], False)), ("gone", (["first"], True))],
)
def test_the_first_page_stands_in_for_one_after_which_nothing_stands_any_more(
    after: str, shown: tuple[list[str], bool]
) -> None:
    rows = {None: ["first"], "there": ["next"], "gone": []}

    listed, is_gone = page_or_first(lambda place: Listed(rows=rows[place], after=None), after)

    assert (listed.rows, is_gone) == shown


@pytest.mark.parametrize(
    "name",
    ["x", "é", named("1"), named("1", 2), named("1", "2", "3"), named("\x00", "2"), named("\ud800", "2")],
)
def test_a_name_that_the_list_did_not_make_is_refused(name: str) -> None:
    with pytest.raises(InvalidPlaceError):
        place_values(name, KEYS)
