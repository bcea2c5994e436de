"""The soak's short form: every kind of trouble at least once, in a mix, and the books balance in the end."""

from __future__ import annotations

import warnings

import pytest

from faults.soak.__main__ import play
from faults.soak.ground import Ground
from faults.soak.trouble import KINDS, not_possible
from tests.needs import in_ci

ROUNDS = 20


@pytest.mark.timeout(900)
def test_twenty_rounds_of_trouble_lose_and_double_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Ground(seed=20261126, set_value=monkeypatch.setattr) as ground:
        not_run = not_possible(ground)
        if in_ci():
            # What needs a program must have it there; to mount a file system is not everywhere allowed.
            assert set(not_run) <= {"disk full"}
        for kind, reason in not_run.items():
            warnings.warn(f"NOT RUN: {kind}: {reason}", stacklevel=1)

        result = play(ground, ROUNDS)

    books = result.books
    assert books.wrong == []
    assert (books.lost, books.doubled) == (0, 0)
    assert books.held == books.handed_out > 0
    assert books.doubts >= books.pages_lost > 0
    assert sum(result.played.values()) == ROUNDS
    assert set(result.played) == set(KINDS) - set(not_run)
