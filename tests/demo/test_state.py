"""A home remembers one demo, which is whole, and lets no second one in."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from demo.state import DemoRunsAlreadyError, Recorded, alone, forget, record, recorded

if TYPE_CHECKING:
    from pathlib import Path

DEMO = Recorded(datetime.datetime(2026, 11, 24, 4, tzinfo=datetime.UTC), 9, "1000011", "code", "print", moved_on=False)


def test_a_demo_that_is_not_whole_is_forgotten(tmp_path: Path) -> None:
    forget(tmp_path)
    record(tmp_path, DEMO)
    forget(tmp_path)
    assert recorded(tmp_path) is None


def test_a_home_remembers_its_demo_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    assert recorded(tmp_path) is None
    record(tmp_path, DEMO)
    assert recorded(tmp_path) == DEMO
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_second_demo_in_one_home_is_refused(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(DemoRunsAlreadyError, match="stop it first"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass
