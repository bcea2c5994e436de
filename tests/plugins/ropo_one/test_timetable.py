"""The partition key is the business date, over DST changes too, and no day is run before it is over."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from airflow.timetables.base import DagRunInfo, TimeRestriction
from pendulum import DateTime

from ropo_one.timetable import BusinessDateTimetable, MonthEndTimetable

if TYPE_CHECKING:
    from collections.abc import Callable

HELSINKI = ZoneInfo("Europe/Helsinki")
TIMETABLE = BusinessDateTimetable(timezone="Europe/Helsinki")


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def set_clock(text: str) -> None:
        now = datetime.datetime.fromisoformat(text).replace(tzinfo=HELSINKI).astimezone(datetime.UTC)
        clock = SimpleNamespace(utcnow=lambda: now)
        monkeypatch.setattr("ropo_one.timetable.timezone", clock)

    return set_clock


def backfill(first: str, last: str) -> list[str | None]:
    earliest, latest = (datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC) for day in (first, last))
    return [info.partition_key for info in TIMETABLE.iter_partition_dagrun_infos(earliest=earliest, latest=latest)]


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-03-27", "2026-03-31", ["03-27", "03-28", "03-29", "03-30", "03-31"]),
        ("2026-10-24", "2026-10-27", ["10-24", "10-25", "10-26", "10-27"]),
        ("2026-10-25", "2026-10-25", ["10-25"]),
    ],
)
def test_a_backfill_has_one_key_a_day_over_a_change_of_the_clock(
    set_clock: Callable[[str], None], first: str, last: str, days: list[str]
) -> None:
    set_clock("2026-11-01")
    assert backfill(first, last) == [f"2026-{day}" for day in days]


@pytest.mark.parametrize(
    ("now", "last_day"),
    [
        ("2026-10-25T23:59:59", "2026-10-24"),  # a day of 25 hours
        ("2026-10-26T00:00:00", "2026-10-25"),
        ("2026-03-29T23:59:59", "2026-03-28"),  # a day of 23 hours
        ("2026-03-30T00:00:00", "2026-03-29"),
    ],
)
def test_a_backfill_stops_at_the_last_day_that_is_over(
    set_clock: Callable[[str], None], now: str, last_day: str
) -> None:
    set_clock(now)
    assert backfill("2026-01-01", "2026-12-31")[-1] == last_day


def test_a_backfill_of_days_to_come_has_none(set_clock: Callable[[str], None]) -> None:
    set_clock("2026-10-25T12:00:00")
    assert backfill("2026-10-25", "2026-10-31") == []


def test_the_schedule_runs_each_day_at_the_midnight_that_ends_it() -> None:
    restriction = TimeRestriction(earliest=DateTime(2026, 3, 27, tzinfo=HELSINKI), latest=None, catchup=True)
    runs: list[DagRunInfo] = []
    while len(runs) < 5:
        info = TIMETABLE.next_dagrun_info_v2(last_dagrun_info=runs[-1] if runs else None, restriction=restriction)
        assert info is not None
        runs.append(info)
    assert [(info.partition_key, info.run_after.astimezone(HELSINKI).isoformat()) for info in runs] == [
        ("2026-03-26", "2026-03-27T00:00:00+02:00"),
        ("2026-03-27", "2026-03-28T00:00:00+02:00"),
        ("2026-03-28", "2026-03-29T00:00:00+02:00"),
        ("2026-03-29", "2026-03-30T00:00:00+03:00"),
        ("2026-03-30", "2026-03-31T00:00:00+03:00"),
    ]


MONTHS = MonthEndTimetable(timezone="Europe/Helsinki")


def test_a_months_run_is_keyed_by_its_last_day_and_made_at_the_midnight_that_ends_it() -> None:
    restriction = TimeRestriction(earliest=DateTime(2026, 1, 5, tzinfo=HELSINKI), latest=None, catchup=True)
    runs: list[DagRunInfo] = []
    while len(runs) < 4:
        info = MONTHS.next_dagrun_info_v2(last_dagrun_info=runs[-1] if runs else None, restriction=restriction)
        assert info is not None
        runs.append(info)
    assert [(info.partition_key, info.run_after.astimezone(HELSINKI).isoformat()) for info in runs] == [
        ("2026-01-31", "2026-02-01T00:00:00+02:00"),
        ("2026-02-28", "2026-03-01T00:00:00+02:00"),
        ("2026-03-31", "2026-04-01T00:00:00+03:00"),
        ("2026-04-30", "2026-05-01T00:00:00+03:00"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-01-31", "2026-03-31", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("2026-02-01", "2026-03-30", ["2026-02-28"]),
        ("2026-10-01", "2027-03-01", ["2026-10-31"]),
        ("2026-03-05", "2026-03-06", []),
        ("2024-03-01", "2024-04-30", ["2024-03-31", "2024-04-30"]),  # the clock changes on the last day itself
        ("2021-10-31", "2021-11-30", ["2021-10-31", "2021-11-30"]),
        ("2026-01-31T12:00", "2026-03-31T12:00", ["2026-02-28", "2026-03-31"]),
    ],
)
def test_a_backfill_has_one_run_for_each_months_end_that_is_over(
    set_clock: Callable[[str], None], first: str, last: str, days: list[str]
) -> None:
    set_clock("2026-11-20")
    earliest, latest = (datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC) for day in (first, last))
    infos = list(MONTHS.iter_partition_dagrun_infos(earliest=earliest, latest=latest))
    assert [info.partition_key for info in infos] == days
    assert all(info.run_after == info.partition_date for info in infos), "as Airflow's own backfills have it"
    restored = MonthEndTimetable.deserialize(MONTHS.serialize())
    assert list(restored.iter_partition_dagrun_infos(earliest=earliest, latest=latest)) == infos
