"""A profile at work whose start_date lies ahead is told: its runs are green, and compare nothing."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from include.config.profiles import profiles_file
from include.watch.begins_ahead import BeginsAhead
from tests.include.watch.records import record, told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session

NOW = datetime.datetime(2026, 10, 10, 8, tzinfo=ZoneInfo("Europe/Helsinki"))
DATE = datetime.date(2026, 10, 8)


def beginning(profile: Profile, date: str) -> Profile:
    return msgspec.structs.replace(profile, start_date=datetime.date.fromisoformat(date))


def test_it_names_profile_date_and_file_and_says_what_to_do(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DATE)

    (alert,) = told(session, BeginsAhead(beginning(profile, "2062-01-01"), NOW))

    assert alert.subject == "[Ropo One] default: start_date lies ahead (2062-01-01): no date is compared"
    assert f"correct start_date of profile default in {profiles_file()}, then backfill" in alert.text


def test_it_is_told_once_until_it_is_put_right_and_anew_where_it_is_another(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DATE)
    starts = ("2062-01-01", "2062-01-01", "2063-01-01", "2026-01-01", "2063-01-01")

    assert [len(told(session, BeginsAhead(beginning(profile, start), NOW))) for start in starts] == [1, 0, 1, 0, 1]


def test_a_profile_that_has_compared_no_date_yet_is_set_up_for_a_day_to_come(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DATE, scope="full")
    record(store, DATE, profile="another")

    assert told(session, BeginsAhead(beginning(profile, "2026-11-01"), NOW)) == []


def test_today_does_not_lie_ahead_by_the_markets_clock(session: Session, store: Connection, profile: Profile) -> None:
    record(store, DATE)
    midnight = profile.midnight(datetime.date(2026, 10, 10))

    begins_today = beginning(profile, "2026-10-10")
    assert told(session, BeginsAhead(begins_today, midnight)) == []
    assert len(told(session, BeginsAhead(begins_today, midnight - datetime.timedelta(seconds=1)))) == 1
