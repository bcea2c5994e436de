"""A month that ends without a full comparison is told, since nothing else may be left of a run that never compared."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from include.watch.missing_full import MissingFull
from tests.include.watch.records import record, told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session

HELSINKI = ZoneInfo("Europe/Helsinki")
SEPTEMBER = datetime.date(2026, 9, 30)
OCTOBER = datetime.date(2026, 10, 31)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, month, day, hour, minute, tzinfo=HELSINKI)


DUE = at(10, 2, 7)


def subjects(session: Session, profile: Profile, now: datetime.datetime) -> list[str]:
    with session.transaction() as cursor:
        return list(MissingFull(profile, now).found(cursor))


def at_work(store: Connection, since: datetime.datetime, profile: str = "default") -> None:
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO ropo.profile_pin VALUES (%s, 'h', %s, %s)", (profile, f"c of {profile}", since))


def test_it_says_which_month_what_that_means_and_what_to_do(
    session: Session, store: Connection, profile: Profile
) -> None:
    at_work(store, at(9, 15, 8))

    (alert,) = told(session, MissingFull(profile, DUE))

    assert alert.subject == "[Ropo One] default: 2026-09 has no full comparison"
    assert "cannot be signed off" in alert.text
    assert "with the date 2026-09-30" in alert.text
    assert "DAG: https://airflow.example.com/dags/ropo_full_comparison" in alert.text


def test_it_is_told_from_the_deadline_of_the_second_on_and_once(
    session: Session, store: Connection, profile: Profile
) -> None:
    at_work(store, at(9, 15, 8))
    minute = datetime.timedelta(minutes=1)

    assert [len(told(session, MissingFull(profile, DUE + look * minute))) for look in (-1, 0, 15)] == [0, 1, 0]


def test_a_profile_that_settles_for_longer_has_its_day_after_that(
    session: Session, store: Connection, profile: Profile
) -> None:
    at_work(store, at(9, 15, 8))
    slow = msgspec.structs.replace(profile, settle_hours=48)

    assert subjects(session, slow, at(10, 4, 0, 59)) == []
    assert subjects(session, slow, at(10, 4, 1)) == ["2026-09"]


@pytest.mark.parametrize("date", [SEPTEMBER, OCTOBER])
def test_it_is_over_when_one_of_the_months_last_date_or_later_is_recorded_after_its_end(
    session: Session, store: Connection, profile: Profile, date: datetime.date
) -> None:
    at_work(store, at(9, 15, 8))
    record(store, SEPTEMBER - datetime.timedelta(days=1), scope="full", started_at=DUE)
    record(store, SEPTEMBER, scope="full", started_at=at(9, 30, 23, 59))
    record(store, SEPTEMBER, started_at=DUE)
    assert subjects(session, profile, DUE) == ["2026-09"]
    record(store, date, "breaks", scope="full", started_at=at(10, 1, 0))
    assert subjects(session, profile, DUE) == []


def test_the_newest_month_alone_is_told_since_its_comparison_serves_the_earlier_ones(
    session: Session, store: Connection, profile: Profile
) -> None:
    at_work(store, at(8, 15, 8))

    assert subjects(session, profile, DUE) == ["2026-09"]
    assert subjects(session, profile, at(11, 2, 6, 59)) == ["2026-09"]
    assert subjects(session, profile, at(11, 2, 7)) == ["2026-10"]


def test_a_month_that_was_over_before_the_work_began_is_none_though_a_backfill_compared_its_dates(
    session: Session, store: Connection, profile: Profile
) -> None:
    at_work(store, at(10, 1, 0))
    record(store, SEPTEMBER, started_at=at(10, 1, 0))

    assert subjects(session, profile, DUE) == []


def test_work_began_where_dates_were_compared_though_nothing_was_ever_polled(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, SEPTEMBER, started_at=at(9, 30, 23), profile="other")
    at_work(store, at(9, 15, 8), "other")
    assert subjects(session, profile, DUE) == []
    record(store, SEPTEMBER, started_at=at(9, 30, 23))
    assert subjects(session, profile, DUE) == ["2026-09"]


def test_a_month_before_the_start_date_is_none(session: Session, store: Connection, profile: Profile) -> None:
    at_work(store, at(9, 15, 8))
    for start, found in ((SEPTEMBER, ["2026-09"]), (SEPTEMBER + datetime.timedelta(days=1), [])):
        assert subjects(session, msgspec.structs.replace(profile, start_date=start), DUE) == found


def test_a_month_whose_last_day_is_the_start_date_is_not_told_before_it_is_due(
    session: Session, store: Connection, profile: Profile
) -> None:
    at_work(store, at(9, 15, 8))
    starts = msgspec.structs.replace(profile, start_date=SEPTEMBER)
    assert subjects(session, starts, DUE - datetime.timedelta(minutes=1)) == []
