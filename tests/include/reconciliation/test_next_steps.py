"""Whoever meets a difference reads what to do about it."""

from __future__ import annotations

import pytest

from include.reconciliation.categories import CATEGORIES, MATCHED, REASONS
from include.reconciliation.next_steps import _OF_REASON, next_step
from local_airflow.paths import ROOT

DIFFERENCES = [name for name in CATEGORIES if name != MATCHED]


@pytest.mark.parametrize(("category", "reason"), [each for each in REASONS if each[0] != MATCHED])
def test_each_reason_of_a_difference_has_a_sentence(category: str, reason: str) -> None:
    step = next_step(category, reason)
    assert step.endswith(".")
    assert step[0].isupper()


def test_a_sentence_of_a_reason_is_of_one_that_there_is() -> None:
    assert set(_OF_REASON) <= set(REASONS)


@pytest.mark.parametrize("category", DIFFERENCES)
def test_the_readme_says_the_same_of_each_category(category: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (row,) = [line for line in readme.splitlines() if line.startswith(f"| `{category}` | ")]
    assert row.endswith(f" | {next_step(category, None)} |")


@pytest.mark.parametrize(("category", "reason"), [each for each in REASONS if each[0] != MATCHED])
def test_what_its_reader_cannot_do_names_whom_to_ask(category: str, reason: str) -> None:
    step = next_step(category, reason)
    if "status map" in step or "SELECT" in step:
        assert "whoever looks after this deployment" in step
    if "Ask Ropo One" in step or "ask Ropo One" in step:
        assert "Ropo One's customer service" in step
    assert "Have " not in step
    assert " have " not in step
