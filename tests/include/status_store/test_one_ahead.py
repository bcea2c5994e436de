"""One item is made ahead of its use, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.status_store.one_ahead import one_ahead
from tests.include.status_store.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_items_come_in_their_order_and_all_of_them() -> None:
    assert list(one_ahead(range(1, 8))) == [1, 2, 3, 4, 5, 6, 7]
    assert list(one_ahead(range(0))) == []


def test_the_next_one_is_made_while_the_last_is_used_and_no_other() -> None:
    made: list[int] = []

    def making() -> Iterator[int]:
        for number in range(1, 6):
            made.append(number)
            yield number

    for number in one_ahead(making()):
        until(lambda number=number: len(made) == min(number + 1, 5))  # type: ignore[misc]
        assert made == [*range(1, min(number + 1, 5) + 1)]


def test_an_error_in_the_making_comes_after_what_was_made_before_it() -> None:
    def making() -> Iterator[str]:
        yield "first"
        raise ValueError("no second")

    items = one_ahead(making())
    assert next(items) == "first"
    with pytest.raises(ValueError, match="no second"):
        next(items)
