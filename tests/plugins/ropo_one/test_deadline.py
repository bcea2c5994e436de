"""Airflow's deadline of a business date is when the watch, too, calls its verdict missing."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from include.config.alerts import Alerts
from include.config.profiles import Profile
from ropo_one.business_date import SCHEDULED
from ropo_one.deadline import BusinessDateDeadline, verdict_deadlines

DATE = datetime.date(2026, 10, 5)
SCHEDULED_RUN = SimpleNamespace(run_type=SCHEDULED, partition_key=DATE.isoformat())


def moment(reference: BusinessDateDeadline, row: SimpleNamespace | None = SCHEDULED_RUN) -> datetime.datetime | None:
    """When the run of the date has its deadline, by a reference that Airflow has kept."""
    kept = BusinessDateDeadline.deserialize_reference(reference.serialize_reference())
    session = SimpleNamespace(execute=lambda _: SimpleNamespace(one_or_none=lambda: row))
    return kept._evaluate_with(session=cast("Any", session), dag_id="ropo_reconciliation", run_id="run 1")


@pytest.mark.parametrize("timezone", ["Asia/Tokyo", "Europe/Helsinki", "America/New_York"])
@pytest.mark.parametrize("settle_hours", [0, 1, 6, 7, 30])
@pytest.mark.parametrize("hour", [0, 7])
def test_it_is_when_the_profiles_verdict_is_due(timezone: str, settle_hours: int, hour: int) -> None:
    profile = Profile(name="any", timezone=timezone, settle_hours=settle_hours, alerts=Alerts(deadline_hour=hour))
    (alert,) = verdict_deadlines([profile])

    assert moment(cast("BusinessDateDeadline", alert.reference)) == profile.verdict_due_at(DATE)


@pytest.mark.parametrize(
    "row",
    [
        None,
        SimpleNamespace(run_type="manual", partition_key=DATE.isoformat()),
        SimpleNamespace(run_type="backfill", partition_key=DATE.isoformat()),
        SimpleNamespace(run_type=SCHEDULED, partition_key=None),
    ],
    ids=str,
)
def test_a_run_by_hand_of_a_backfill_or_of_no_date_has_none(row: SimpleNamespace | None) -> None:
    assert moment(BusinessDateDeadline(), row) is None


def test_profiles_that_settle_for_longer_have_one_of_their_own() -> None:
    profiles = [Profile(name="a"), Profile(name="b", settle_hours=8), Profile(name="c")]
    alerts = verdict_deadlines(profiles)

    assert [alert.callback.kwargs["profiles"] for alert in alerts] == [["a", "c"], ["b"]]
    assert [alert.name for alert in alerts] == [
        "verdict by 07:00 Europe/Helsinki, settle_hours 1",
        "verdict by 07:00 Europe/Helsinki, settle_hours 8",
    ]


def test_one_that_airflow_has_kept_since_before_settle_hours_stood_in_it_is_read_still() -> None:
    kept = BusinessDateDeadline.deserialize_reference({"timezone": "Europe/Oslo", "hour": 8})

    assert kept == BusinessDateDeadline(timezone="Europe/Oslo", hour=8, settle_hours=1)
