"""Dates by their latest verdicts, and what is past its grace or open of them."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Profile
from include.page_data.calendar import read_calendar, read_latest_dates
from include.page_data.open_breaks import read_open_breaks
from include.page_data.past_grace import count_past_grace
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# A Sunday, the last day of the weeks that are shown, and the Monday that is the first.
LAST, FIRST = datetime.date(2026, 11, 22), datetime.date(2026, 5, 25)
DAY = datetime.timedelta(days=1)
GRACE = datetime.datetime(2026, 11, 25, 22, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def test_each_day_has_the_latest_of_its_own_reconciliations_from_the_first_of_the_weeks_to_the_last(
    store: Connection,
) -> None:
    for date in (FIRST - DAY, LAST + DAY):
        record(store, date)
    record(store, LAST, "breaks", break_count=1)
    latest = {FIRST: record(store, FIRST, "incomplete"), LAST: record(store, LAST)}
    record(store, FIRST, "breaks", break_count=2, scope="full")
    record(store, LAST, "breaks", break_count=3, profile="other")
    with store.cursor() as cursor:
        found = read_calendar(cursor, "default", until=LAST, today=LAST, start=FIRST + DAY)
    assert (found.first, found.last) == (FIRST, LAST)
    assert {day.date: day.found.reconciliation_id for day in found.days if day.found} == latest
    assert [day.is_expected for day in found.days] == [False, *[True] * 180, False]


def test_the_newest_date_of_interest_is_told_by_its_latest_reconciliation(store: Connection) -> None:
    record(store, LAST, "breaks", break_count=1)
    newest = record(store, LAST)
    record(store, LAST - DAY)
    record(store, LAST + DAY, scope="full")
    of_other = record(store, LAST + 2 * DAY, profile="other")
    record(store, LAST + 3 * DAY, profile="late")
    starts = {"default": LAST - DAY, "other": LAST + 2 * DAY, "late": LAST + 4 * DAY}
    profiles = [Profile(name=name, start_date=start) for name, start in starts.items()]
    with store.cursor() as cursor:
        found = read_latest_dates(cursor, profiles)
    assert {name: each.reconciliation_id for name, each in found.items()} == {"default": newest, "other": of_other}


def test_past_its_grace_is_what_nothing_has_compared_since(store: Connection) -> None:
    pending = (
        broken("1", "1", pending_until=GRACE), broken("2", "1", pending_until=GRACE + HOUR),
        broken("3", "1", pending_until=GRACE - HOUR),
    )  # fmt: skip
    number = record(store, LAST, breaks=pending, started_at=GRACE - 2 * HOUR)
    other = record(store, LAST, profile="other", started_at=GRACE - 2 * HOUR)
    one = record(store, LAST - DAY, breaks=pending[:1], started_at=GRACE - 2 * HOUR)

    def past(moment: datetime.datetime) -> dict[int, int]:
        with store.cursor() as cursor:
            return count_past_grace(cursor, {number: moment, one: moment})

    # What others of the same date, or it itself before, were compared at is no look at it.
    looked = "INSERT INTO ropo.reconciled_date VALUES (%s, %s, %s, %s, 'v1', %s)"
    for values in (
        ("default", LAST, "full", number),
        ("other", LAST, "date", number),
        ("default", FIRST, "date", number),
    ):
        execute(store, looked, (*values, GRACE + 5 * HOUR))
    execute(store, looked, ("default", LAST, "date", other, GRACE + 5 * HOUR))
    assert past(GRACE - 2 * HOUR) == {}
    assert past(GRACE - HOUR) == {number: 1}
    assert past(GRACE) == {number: 2, one: 1}
    assert past(GRACE + HOUR) == {number: 3, one: 1}
    again = "UPDATE ropo.reconciled_date SET reconciliation_id = %s, checked_at = %s WHERE reconciliation_id = %s"
    execute(store, again, (number, GRACE - HOUR, other))
    assert past(GRACE + HOUR) == {number: 2, one: 1}
    assert past(GRACE - HOUR) == {}


def test_open_breaks_are_summed_by_currency_and_counted_by_their_age(store: Connection) -> None:
    for days, key, state, amount, currency in (
        (0, "b:1", "open", "5.00", "EUR"), (0, "b:2", "open", "7.00", "EUR"), (2, "b:3", "open", "11.00", "EUR"),
        (2, "b:4", "open", "13.00", "DKK"), (45, "b:5", "open", "16.00", "EUR"), (40, "b:0", "open", "1.00", "EUR"),
        (40, "b:6", "accepted", "1.00", "EUR"),
    ):  # fmt: skip
        keep_break(store, record(store, LAST - days * DAY), key, "ledger_behind", state, amount, currency=currency)
    # Of an unpaid invoice that the ledger lacks nothing is known.
    for days, key, amount, currency in (
        (0, "b:7", "0.00", "EUR"), (1, "b:8", "0.00", "EUR"), (0, "b:9", "3.00", "EUR"), (0, "b:10", "0.00", "SEK"),
    ):  # fmt: skip
        number = record(store, LAST - days * DAY)
        keep_break(store, number, key, "missing_in_ledger", "open", amount, currency=currency)
    keep_break(store, record(store, LAST - 90 * DAY, profile="other"), "b:9", "ledger_behind", "open", "19.00")
    with store.cursor() as cursor:
        found = read_open_breaks(cursor, Profile(name="default"), LAST)
    assert list(found.at_stake.items()) == [("EUR", Decimal("43.00")), ("DKK", Decimal("13.00"))]
    assert (found.total, found.unknown, found.oldest) == (10, 3, LAST - 45 * DAY)
    assert found.by_category == {"missing_in_ledger": [4, 0, 0, 0], "ledger_behind": [4, 0, 0, 2]}
    assert [(each.youngest, each.oldest) for each in found.ages] == [(0, 2), (3, 9), (10, 29), (30, None)]
    # Where each break is of medium severity from its first day on there is no group younger than that.
    at_once = msgspec.structs.replace(Profile(name="default").severity, medium_age_days=0)
    with store.cursor() as cursor:
        found = read_open_breaks(cursor, Profile(name="default", severity=at_once), LAST)
    assert [(each.youngest, each.oldest) for each in found.ages] == [(0, 9), (10, 29), (30, None)]
    assert found.by_category["ledger_behind"] == [4, 0, 2]
