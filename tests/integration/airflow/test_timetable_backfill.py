"""A backfill by date in a real Airflow gives exactly the dates picked, and takes no date from the schedule."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local_airflow import environment
from local_airflow.paths import ROOT
from tests.integration.airflow.one_day import HELSINKI, on_one_day

if TYPE_CHECKING:
    import pathlib

    from local_airflow.embedded import Server

    Outcome = dict[str, tuple[list[str], object, object]]

DAY = datetime.timedelta(days=1)


def utc(day: str | datetime.date) -> str:
    """A day picked in a browser that shows UTC, or on the command line."""
    return f"{day}T00:00:00+00:00"


def local(day: str) -> str:
    """A day picked in a browser that shows the market's time, as its form sends it."""
    midnight = datetime.datetime.fromisoformat(day).replace(tzinfo=HELSINKI)
    return midnight.isoformat()


def picked(today: datetime.date) -> dict[str, tuple[str, str]]:
    """The first and the last day that are picked for each DAG."""
    return {
        "spring": (utc("2026-03-27"), utc("2026-03-31")),
        "spring_local": (local("2026-03-27"), local("2026-03-31")),
        "autumn": (utc("2026-10-24"), utc("2026-10-27")),
        "autumn_local": (local("2026-10-24"), local("2026-10-27")),
        "one_day": (utc("2026-10-25"), utc("2026-10-25")),
        "past_today": (utc(today - 3 * DAY), utc(today + 9 * DAY)),
        # In the market's first two hours of a day it is not that day yet in UTC, and Airflow refuses one to come.
        "today_alone": (local(today.isoformat()), utc(today + 9 * DAY)),
    }


DAG_IDS = sorted(picked(datetime.date(2026, 11, 1)))
DAG_FILE = f"""
import datetime
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from ropo_one.timetable import BusinessDateTimetable

for dag_id in {DAG_IDS}:
    timetable = BusinessDateTimetable(timezone="Europe/Helsinki")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    with DAG(dag_id, schedule=timetable, start_date=start, catchup=False) as dag:
        EmptyOperator(task_id="nothing")
    globals()[dag_id] = dag
"""


@pytest.fixture(scope="module")
def made(
    postgres: Server, metadata_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[datetime.date, Outcome]:
    """Today, and by DAG: the keys of the runs made, and the next scheduled run before and after."""
    return on_one_day(
        lambda today: (today, _made(postgres, metadata_template, tmp_path_factory.mktemp("airflow"), today))
    )


@pytest.fixture
def today(made: tuple[datetime.date, Outcome]) -> datetime.date:
    return made[0]


@pytest.fixture
def outcome(made: tuple[datetime.date, Outcome]) -> Outcome:
    return made[1]


def _made(postgres: Server, template: str, home: pathlib.Path, today: datetime.date) -> Outcome:
    (home / "dags").mkdir()
    (home / "dags" / "dated.py").write_text(DAG_FILE, encoding="utf-8")
    database = postgres.fresh_database("metadata", template=template)
    given = {
        environment.METADATA_VARIABLE: postgres.dsn(database, driver="psycopg2"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
    }
    variables = environment.project_environment(given, home)
    driver = str(ROOT / "tests" / "integration" / "airflow" / "backfill_driver.py")
    done = subprocess.run(
        [sys.executable, driver],
        check=False,
        env=variables,
        input=json.dumps(picked(today)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {dag_id: tuple(values) for dag_id, values in json.loads(done.stdout).items()}


def days(first: datetime.date, last: datetime.date) -> list[str]:
    return [(first + number * DAY).isoformat() for number in range((last - first).days + 1)]


@pytest.mark.parametrize("dag_id", ["spring", "spring_local"])
def test_it_gives_the_dates_picked_over_the_change_to_summer_time(dag_id: str, outcome: Outcome) -> None:
    assert outcome[dag_id][0] == days(datetime.date(2026, 3, 27), datetime.date(2026, 3, 31))


@pytest.mark.parametrize("dag_id", ["autumn", "autumn_local"])
def test_it_gives_the_dates_picked_over_the_change_to_winter_time(dag_id: str, outcome: Outcome) -> None:
    assert outcome[dag_id][0] == days(datetime.date(2026, 10, 24), datetime.date(2026, 10, 27))


def test_one_date_is_one_run(outcome: Outcome) -> None:
    assert outcome["one_day"][0] == ["2026-10-25"]


def test_a_range_that_reaches_past_today_makes_no_run_for_a_day_that_is_not_over(
    outcome: Outcome, today: datetime.date
) -> None:
    assert outcome["past_today"][0] == days(today - 3 * DAY, today - DAY)
    assert outcome["today_alone"][0] == []


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_the_next_scheduled_run_stays_what_it_was(dag_id: str, outcome: Outcome, today: datetime.date) -> None:
    _, before, after = outcome[dag_id]
    midnight = datetime.datetime.combine(today, datetime.time(), HELSINKI).astimezone(datetime.UTC)
    assert before == after == [(today - DAY).isoformat(), midnight.isoformat()]
