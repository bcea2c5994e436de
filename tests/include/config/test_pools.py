"""The command that makes the pools."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def _pools(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/new.db",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}",
    }
    command = [sys.executable, "-m", "include.config.pools", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=120)


def test_a_database_that_is_not_migrated_is_an_error_that_says_what_to_run(tmp_path: Path) -> None:
    done = _pools(tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "The pools cannot be made: Airflow's metadata database says: no such table: slot_pool",
        "Where it has no tables yet, or an older Airflow's, run `airflow db migrate` first.",
    ]


def test_help_makes_no_pool(tmp_path: Path) -> None:
    done = _pools(tmp_path, "--help")
    assert done.returncode == 0
    assert not (tmp_path / "new.db").exists()
