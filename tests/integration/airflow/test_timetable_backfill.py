"""A backfill by date in a real Airflow gives exactly the dates picked, and takes no date from the schedule."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from local_airflow import environment
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from local_airflow.embedded import Server

    Outcome = dict[str, tuple[list[str], object, object]]

HELSINKI = ZoneInfo("Europe/Helsinki")
DAY = datetime.timedelta(days=1)
TODAY = datetime.datetime.now(HELSINKI).date()
YESTERDAY = TODAY - DAY


def utc(day: str | datetime.date) -> str:
    """A day picked in a browser that shows UTC, or on the command line."""
    return f"{day}T00:00:00+00:00"


def local(day: str) -> str:
    """A day picked in a browser that shows the market's time, as its form sends it."""
    midnight = datetime.datetime.fromisoformat(day).replace(tzinfo=HELSINKI)
    return midnight.isoformat()


PICKED = {
    "spring": (utc("2026-03-27"), utc("2026-03-31")),
    "spring_local": (local("2026-03-27"), local("2026-03-31")),
    "autumn": (utc("2026-10-24"), utc("2026-10-27")),
    "autumn_local": (local("2026-10-24"), local("2026-10-27")),
    "one_day": (utc("2026-10-25"), utc("2026-10-25")),
    "past_today": (utc(TODAY - 3 * DAY), utc(TODAY + 9 * DAY)),
    # In the market's first two hours of a day it is not that day yet in UTC, and Airflow refuses a first day to come.
    "today_alone": (local(TODAY.isoformat()), utc(TODAY + 9 * DAY)),
}
DAG_FILE = f"""
import datetime
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG
from ropo_one.timetable import BusinessDateTimetable

for dag_id in {sorted(PICKED)}:
    timetable = BusinessDateTimetable(timezone="Europe/Helsinki")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    with DAG(dag_id, schedule=timetable, start_date=start, catchup=False) as dag:
        EmptyOperator(task_id="nothing")
    globals()[dag_id] = dag
"""


@pytest.fixture(scope="module")
def outcome(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """By DAG: the keys of the runs made, and the next scheduled run before and after."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    (home / "dags" / "dated.py").write_text(DAG_FILE, encoding="utf-8")
    database = postgres.fresh_database("metadata")
    given = {
        environment.METADATA_VARIABLE: postgres.dsn(database, driver="psycopg2"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
    }
    variables = environment.project_environment(given, home)
    airflow = str(ROOT / ".venv" / "bin" / "airflow")
    subprocess.run([airflow, "db", "migrate"], env=variables, check=True, capture_output=True)
    driver = str(ROOT / "tests" / "integration" / "airflow" / "backfill_driver.py")
    done = subprocess.run(
        [sys.executable, driver], env=variables, input=json.dumps(PICKED), capture_output=True, text=True, check=False
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
    outcome: Outcome,
) -> None:
    assert outcome["past_today"][0] == days(TODAY - 3 * DAY, YESTERDAY)
    assert outcome["today_alone"][0] == []


@pytest.mark.parametrize("dag_id", sorted(PICKED))
def test_the_next_scheduled_run_stays_what_it_was(dag_id: str, outcome: Outcome) -> None:
    _, before, after = outcome[dag_id]
    midnight = datetime.datetime.combine(TODAY, datetime.time(), HELSINKI).astimezone(datetime.UTC)
    assert before == after == [YESTERDAY.isoformat(), midnight.isoformat()]
