"""A home remembers one demo, which is whole, and lets no second one in."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from demo.state import (
    DemoRunsAlreadyError,
    ForeignHomeError,
    Recorded,
    alone,
    forget,
    record,
    recorded,
    refuse_foreign,
)
from local_airflow.paths import ROOT

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


def test_a_home_of_somebodys_airflow_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").touch()
    with pytest.raises(ForeignHomeError, match=rf"AIRFLOW_HOME is {tmp_path}, .*`unset AIRFLOW_HOME`"):
        refuse_foreign(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["airflow.cfg"]


def test_a_demos_own_home_an_empty_one_and_the_checkouts_are_taken(tmp_path: Path) -> None:
    for home in (tmp_path / "nowhere", tmp_path, ROOT / ".airflow"):
        refuse_foreign(home)
    with alone(tmp_path):
        (tmp_path / "airflow.cfg").touch()
    refuse_foreign(tmp_path)
