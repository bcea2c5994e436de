"""The engineer's path: dates picked in Airflow's backfill form are the dates that run, and no others."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from demo.job import DAY_DAG
from tests.browser.backfill_form import backfill

if TYPE_CHECKING:
    from tests.browser.conftest import Visit
    from tests.browser.deployment import Deployment

HELSINKI = ZoneInfo("Europe/Helsinki")
DAY = datetime.timedelta(days=1)
# Of the newest backfill, once all its runs have ended.
RUNS = """
SELECT run.run_id, run.partition_key, run.state
FROM dag_run AS run
WHERE run.backfill_id = %s
    AND NOT EXISTS (
        SELECT FROM dag_run AS other
        WHERE other.backfill_id = run.backfill_id AND other.state NOT IN ('success', 'failed')
    )
ORDER BY run.partition_key
"""
# Airflow refuses a second backfill of a DAG until its scheduler has noticed that the first is complete.
NONE_ACTIVE = """
SELECT coalesce(max(id), 0) FROM backfill WHERE dag_id = %s HAVING coalesce(bool_and(completed_at IS NOT NULL), true)
"""
NEWEST = "SELECT max(id) FROM backfill WHERE dag_id = %s HAVING max(id) > %s"
ENDED = "SELECT count(*) FROM dag_run WHERE dag_id = %s HAVING bool_and(state IN ('success', 'failed'))"
ASKED = """
SELECT filter_value FROM ropo.status_poll
WHERE kind = 'date' AND outcome IN ('landed', 'empty') AND run_id = ANY (%s)
ORDER BY filter_value
"""
COMPARED = "SELECT DISTINCT business_date::text FROM ropo.reconciliation WHERE run_id = ANY (%s) ORDER BY 1"
COMPARED_DAY = re.compile(r"\b(reconciled|pending|breaks|incomplete)\b")
NEXT = """
SELECT next_dagrun_partition_key, next_dagrun_create_after FROM dag
WHERE dag_id = %s AND next_dagrun_create_after > now()
"""


def days(first: datetime.date, last: datetime.date) -> list[str]:
    return [(first + number * DAY).isoformat() for number in range((last - first).days + 1)]


def pick(
    deployment: Deployment, visit: Visit, first: datetime.date, last: datetime.date, timezone: str
) -> list[tuple[str, str]]:
    """Run ids and keys of the backfill of two dates picked, all ended."""
    [[before]] = deployment.wait_for(deployment.metadata, NONE_ACTIVE, DAY_DAG)
    with visit("admin", timezone=timezone) as page:
        backfill(page, deployment.url, DAY_DAG, first, last)
    [[made]] = deployment.wait_for(deployment.metadata, NEWEST, DAY_DAG, before)
    return [(run_id, key) for run_id, key, _ in deployment.wait_for(deployment.metadata, RUNS, made)]


@pytest.mark.parametrize(
    ("timezone", "first", "last"),
    [
        ("UTC", datetime.date(2026, 10, 24), datetime.date(2026, 10, 27)),
        ("Europe/Helsinki", datetime.date(2026, 3, 27), datetime.date(2026, 3, 30)),
    ],
    ids=["utc_autumn", "helsinki_spring"],
)
def test_four_dates_picked_over_a_change_of_the_clocks_are_the_four_that_run(
    deployment: Deployment, visit: Visit, timezone: str, first: datetime.date, last: datetime.date
) -> None:
    runs = pick(deployment, visit, first, last, timezone)

    wanted = days(first, last)
    assert [key for _, key in runs] == wanted
    run_ids = [run_id for run_id, _ in runs]
    assert [date for (date,) in deployment.ask(deployment.store, ASKED, run_ids)] == wanted
    assert [date for (date,) in deployment.ask(deployment.store, COMPARED, run_ids)] == wanted
    served = {value for poll in deployment.ropo.truth.polls for name, value in poll.query if name == "date"}
    assert served >= set(wanted)
    with visit("viewer") as page:
        page.goto(f"{deployment.url}/reconciliation/?until={last}")
        for date in wanted:
            expect(page.locator(f".calendar a[href*='/dates/{date}']")).to_have_class(COMPARED_DAY)


def test_a_range_that_reaches_past_today_runs_no_unfinished_day_and_takes_none_from_the_schedule(
    deployment: Deployment, visit: Visit
) -> None:
    [scheduled] = deployment.wait_for(deployment.metadata, NEXT, DAY_DAG)
    today = datetime.datetime.now(HELSINKI).date()

    # A backfill leaves a run alone that is under way, as the scheduled one of the day before may be.
    deployment.wait_for(deployment.metadata, ENDED, DAY_DAG)

    runs = pick(deployment, visit, today - DAY, today + 3 * DAY, "Europe/Helsinki")

    assert [key for _, key in runs] == [(today - DAY).isoformat()]
    midnight = datetime.datetime.combine(today + DAY, datetime.time(), HELSINKI)
    assert scheduled == (today.isoformat(), midnight)
    # The scheduler has looked at the DAG since: that run is still the next one.
    [parsed] = deployment.ask(deployment.metadata, "SELECT last_parsed_time FROM dag WHERE dag_id = %s", DAY_DAG)
    deployment.wait_for(
        deployment.metadata, "SELECT FROM dag WHERE dag_id = %s AND last_parsed_time > %s", DAY_DAG, *parsed
    )
    assert deployment.ask(deployment.metadata, NEXT, DAY_DAG) == [scheduled]
