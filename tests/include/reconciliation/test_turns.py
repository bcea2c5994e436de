"""Comparisons of one date come one after the other."""

from __future__ import annotations

import pytest
from psycopg2.errors import SerializationFailure

from include.reconciliation.turns import ATTEMPTS, NoTurnError, in_turn


def test_one_that_others_come_before_is_made_again() -> None:
    lost = iter(range(ATTEMPTS - 1))

    def work() -> str:
        for _ in lost:
            raise SerializationFailure
        return "done"

    assert in_turn(work, "Profile default, 2026-03-10") == "done"


def test_one_that_never_comes_first_says_whose_turn_it_was_and_what_to_do() -> None:
    def work() -> None:
        raise SerializationFailure

    with pytest.raises(NoTurnError, match=r"^Profile default, 2026-03-10: .* first 10 times.*run it again"):
        in_turn(work, "Profile default, 2026-03-10")


def test_any_other_error_is_nobodys_turn() -> None:
    def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_turn(work, "Profile default, 2026-03-10")
