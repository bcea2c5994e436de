"""A business date without a verdict is told after the market's deadline, and not before."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from include.watch.missing import MissingVerdicts, missing_dates, work_began
from tests.include.watch.records import record, told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session

HELSINKI = ZoneInfo("Europe/Helsinki")


def day(number: int) -> datetime.date:
    return datetime.date(2026, 10, number)


def at(number: int, hour: int, minute: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 10, number, hour, minute, tzinfo=HELSINKI)


def subjects(session: Session, profile: Profile, now: datetime.datetime, **options: datetime.date) -> list[str]:
    with session.transaction() as cursor:
        return sorted(MissingVerdicts(profile, now, **options).found(cursor))


def test_a_gap_is_told_from_the_first_reconciled_date_on(session: Session, store: Connection, profile: Profile) -> None:
    record(store, day(5))
    record(store, day(8))
    record(store, day(2), profile="other")

    (alert,) = told(session, MissingVerdicts(profile, at(10, 8)))

    assert alert.subject == "[Ropo One] default: 3 business dates have no verdict"
    assert [date for date in range(4, 12) if f"2026-10-{date:02} has no verdict" in alert.text] == [6, 7, 9]


def test_a_backfill_that_reaches_further_back_has_a_day_for_the_dates_between(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, day(8))
    record(store, day(5), started_at=at(10, 8))

    assert subjects(session, profile, at(11, 7, 59)) == ["2026-10-09", "2026-10-10"]
    assert subjects(session, profile, at(11, 8)) == ["2026-10-06", "2026-10-07", "2026-10-09", "2026-10-10"]


def test_a_date_is_missing_from_the_deadline_on(session: Session, store: Connection, profile: Profile) -> None:
    record(store, day(5))

    assert subjects(session, profile, at(7, 6, 59)) == []
    assert subjects(session, profile, at(7, 7)) == ["2026-10-06"]


def test_far_east_a_date_is_missing_from_the_schedules_own_morning_on(
    session: Session, store: Connection, profile: Profile
) -> None:
    """Its run begins at Helsinki's midnight, when it is morning in Tokyo."""
    tokyo = msgspec.structs.replace(profile, timezone="Asia/Tokyo")
    record(store, day(8))
    due = tokyo.verdict_due_at(day(9))
    assert subjects(session, tokyo, due - datetime.timedelta(seconds=1)) == []
    (alert,) = told(session, MissingVerdicts(tokyo, due))
    local = due.astimezone(tokyo.zone)
    assert due.astimezone(profile.zone).hour == 7
    assert alert.subject.endswith(f"{day(9)} has no verdict by {local:%H:%M}")


def test_a_backfill_says_nothing_of_the_beginning_where_its_date_is_before_the_markets_day(
    session: Session, store: Connection, profile: Profile
) -> None:
    then = at(9, 1, 30)
    for number, begun in ((8, None), (9, day(9))):
        record(store, day(number), started_at=at(9, 3))
        with session.transaction() as cursor:
            assert work_began(cursor, [profile], then=then) == {profile.name: begun}
            assert work_began(cursor, [profile]) == {profile.name: day(8)}


def test_the_beginning_is_the_first_poll_where_no_date_was_ever_reconciled(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, day(6), scope="full")
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO ropo.profile_pin VALUES ('other', 'h', 'd', '2026-10-05 22:30+00')")
        assert subjects(session, profile, at(10, 8)) == []
        cursor.execute("INSERT INTO ropo.profile_pin VALUES ('default', 'h', 'c', '2026-10-07 22:30+00')")

    assert subjects(session, profile, at(10, 8)) == ["2026-10-08", "2026-10-09"]


def test_a_late_run_names_its_date_where_nothing_was_ever_polled(session: Session, profile: Profile) -> None:
    assert subjects(session, profile, at(10, 7), since=day(9)) == ["2026-10-09"]


def test_the_last_week_is_watched_where_nothing_is_rechecked(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, datetime.date(2026, 8, 1))
    without = msgspec.structs.replace(profile, recheck_days=0, late_days=0)
    assert subjects(session, without, at(10, 8)) == [f"2026-10-{number:02}" for number in range(3, 10)]


def test_start_date_and_recheck_days_bound_it(session: Session, store: Connection, profile: Profile) -> None:
    record(store, datetime.date(2026, 8, 1))
    bounded = msgspec.structs.replace(profile, recheck_days=8)
    assert subjects(session, bounded, at(10, 8)) == [f"2026-10-{number:02}" for number in range(2, 10)]
    started = msgspec.structs.replace(profile, start_date=day(9))
    assert subjects(session, started, at(10, 8)) == ["2026-10-09"]


def test_a_reconciliation_of_a_day_that_was_not_over_is_no_verdict(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, day(5), started_at=at(5, 23, 59))
    assert subjects(session, profile, at(6, 8)) == ["2026-10-05"]
    record(store, day(5), started_at=at(6, 0, 0))
    assert subjects(session, profile, at(6, 8)) == []


def test_a_full_comparison_is_no_verdict_of_a_date(session: Session, store: Connection, profile: Profile) -> None:
    record(store, day(5))
    record(store, day(6), scope="full")
    assert subjects(session, profile, at(7, 8)) == ["2026-10-06"]


def test_a_red_verdict_is_a_verdict(session: Session, store: Connection, profile: Profile) -> None:
    record(store, day(5), "incomplete")
    assert subjects(session, profile, at(6, 8)) == []


def test_of_a_span_each_date_is_asked_for_from_its_first_on(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, day(5))
    with session.transaction() as cursor:
        found = missing_dates(cursor, [(profile, day(3))], at(7, 6, 59))
        assert found == {"default": [day(3), day(4)]}, "the 6th is due at 07:00"
        assert missing_dates(cursor, [(profile, day(7))], at(7, 8)) == {"default": []}


def test_several_profiles_are_asked_at_once_each_by_its_own_clock_and_from_its_own_beginning(
    session: Session, store: Connection, profile: Profile
) -> None:
    oslo = msgspec.structs.replace(profile, name="oslo", timezone="Europe/Oslo")
    late = msgspec.structs.replace(profile, name="late")
    slow = msgspec.structs.replace(profile, name="slow", settle_hours=96)
    # Half an hour after Helsinki's midnight: the day is over there, and not in Oslo.
    for each in (profile, oslo):
        record(store, day(4), profile=each.name)
        record(store, day(5), started_at=at(6, 0, 30), profile=each.name)
    # Before its own day was over, and after the first day of which another profile is asked.
    record(store, day(6), started_at=at(6, 12), profile="late")
    with session.transaction() as cursor:
        begun = [(slow, day(4)), (profile, day(4)), (oslo, day(4)), (late, day(6))]
        assert missing_dates(cursor, begun, at(7, 7, 30)) == {
            "slow": [],  # nothing of it is due
            "default": [day(6)],
            "oslo": [day(5)],  # the 6th is due at 07:00 of Oslo
            "late": [day(6)],
        }
        assert missing_dates(cursor, [], at(7, 7, 30)) == {}


def test_a_gap_over_a_change_of_the_clocks_is_told_day_by_day(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, day(23))
    # The 25th has 25 hours: half an hour before its end it is not over.
    record(store, day(25), started_at=at(25, 23, 30))
    record(store, day(27))
    with session.transaction() as cursor:
        found = missing_dates(cursor, [(profile, day(23))], at(29, 8))
    assert found == {"default": [day(24), day(25), day(26), day(28)]}
