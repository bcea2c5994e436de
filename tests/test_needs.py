"""A test that lacks what it needs is skipped on a developer's machine, and fails in the continuous integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_airflow.paths import ROOT
from tests.needs import missing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "outcome"),
    [("true", pytest.fail.Exception), ("1", pytest.fail.Exception), ("", pytest.skip.Exception),
     ("false", pytest.skip.Exception), (None, pytest.skip.Exception)],
)  # fmt: skip
def test_what_is_missing_fails_the_test_where_ci_is_set(
    monkeypatch: pytest.MonkeyPatch, value: str | None, outcome: type[BaseException]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    if value is not None:
        monkeypatch.setenv("CI", value)
    with pytest.raises(outcome, match="bwrap is not there"):
        missing("bwrap is not there")


def test_the_continuous_integration_says_that_it_is_one() -> None:
    assert "export CI=true" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_no_other_test_decides_for_itself() -> None:
    def decides(file: Path) -> bool:
        text = file.read_text(encoding="utf-8")
        return '("CI")' in text or "pytest.skip(" in text

    files = [file for file in (ROOT / "tests").rglob("*.py") if "node_modules" not in file.parts]
    assert [file.name for file in files if decides(file)] == ["test_needs.py"]
