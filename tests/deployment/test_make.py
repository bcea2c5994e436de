"""What `make` removes, and what it lists."""

from __future__ import annotations

import subprocess

from tests.deployment.compose import ROOT


def _make(*arguments: str) -> str:
    # Called by a make, as `make test` does, it would say which directory it enters.
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_clean_leaves_the_home_of_an_airflow_that_is_in_use() -> None:
    removed = _make("--dry-run", "clean").split()
    assert ".venv" in removed
    assert [each for each in removed if each.startswith(".airflow")] == [".airflow/tests*"]


def test_what_removes_it_is_called_otherwise_and_says_what_goes() -> None:
    assert _make("--dry-run", "clean-home").split() == ["rm", "-rf", ".airflow"]
    (told,) = [line for line in _make("help").splitlines() if line.startswith("clean-home")]
    assert "databases, keys and connections" in told
