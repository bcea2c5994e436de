"""Grace in business days, and the span of a calendar day."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest

from include.reconciliation.business_days import BusinessCalendar

HELSINKI, STOCKHOLM = ZoneInfo("Europe/Helsinki"), ZoneInfo("Europe/Stockholm")


def _local(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=HELSINKI)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-03-11 00:00", 1, "2026-03-12 00:00"),  # the end of a Tuesday, to the end of Wednesday
        ("2026-03-07 00:00", 1, "2026-03-10 00:00"),  # the end of a Friday, to the end of Monday
        ("2026-03-08 00:00", 1, "2026-03-10 00:00"),  # the end of a Saturday, likewise
        ("2026-03-09 00:00", 1, "2026-03-10 00:00"),  # the end of a Sunday
        ("2026-03-12 10:00", 1, "2026-03-13 10:00"),  # a run on Thursday
        ("2026-03-13 10:00", 1, "2026-03-16 10:00"),  # a run on Friday
        ("2026-03-14 10:00", 1, "2026-03-17 00:00"),  # a run on Saturday
        ("2026-04-03 00:00", 1, "2026-04-08 00:00"),  # before Easter: Good Friday to Easter Monday do not count
        ("2026-12-24 00:00", 2, "2026-12-30 00:00"),  # Christmas Eve is a working day by Finnish law's list, 25 is not
        ("2026-03-11 00:00", 0, "2026-03-11 00:00"),
        ("2026-03-14 10:00", 0, "2026-03-14 10:00"),  # none ends where it starts, on a Saturday too
        ("2026-03-27 12:00", 1, "2026-03-30 12:00"),  # over the change to summer time the clock is kept
    ],
)
def test_weekends_and_holidays_do_not_count(start: str, days: int, end: str) -> None:
    assert BusinessCalendar("FI", HELSINKI).grace_end(_local(start), days) == _local(end)


def test_holidays_are_the_markets_own() -> None:
    # 6 December 2027, a Monday, is Finland's Independence Day.
    helsinki, stockholm = (datetime.datetime(2027, 12, 3, 10, tzinfo=zone) for zone in (HELSINKI, STOCKHOLM))
    assert BusinessCalendar("FI", HELSINKI).grace_end(helsinki, 1) == _local("2027-12-07 10:00")
    assert BusinessCalendar("SE", STOCKHOLM).grace_end(stockholm, 1) == stockholm + datetime.timedelta(days=3)


def test_weekends_are_the_markets_own() -> None:
    zone = ZoneInfo("Asia/Jerusalem")
    thursday = datetime.datetime(2026, 11, 26, 10, tzinfo=zone)
    assert BusinessCalendar("IL", zone).grace_end(thursday, 1) == thursday + datetime.timedelta(days=3)


def test_a_whole_day_counts_where_the_clocks_go_forward_at_its_midnight() -> None:
    """Where Cairo's clocks would show 00:00 on Friday, 24 April 2026, they show 01:00."""
    zone = ZoneInfo("Africa/Cairo")
    end_of_thursday = datetime.datetime(2026, 4, 23, 22, tzinfo=datetime.UTC)
    assert end_of_thursday.astimezone(zone).hour == 1
    end = BusinessCalendar("FI", zone).grace_end(end_of_thursday, 1)
    assert end == datetime.datetime(2026, 4, 25, tzinfo=zone)
    before = BusinessCalendar("FI", zone).grace_end(end_of_thursday - datetime.timedelta(days=1), 1)
    assert before.astimezone(datetime.UTC) == end_of_thursday


def test_a_country_without_known_holidays_is_named() -> None:
    with pytest.raises(ValueError, match="'XX'"):
        BusinessCalendar("XX", HELSINKI)
