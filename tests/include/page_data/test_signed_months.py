"""The months of a profile by their signatures: what is unsigned, half signed or changed is found in one look."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.config.profiles import Profile
from include.page_data.signed_months import read_months, read_months_flagged, read_months_needing
from include.reconciliation.signing import period_status
from include.watch.signed import ChangedPeriods
from tests.include.status_store.views import query
from tests.include.watch.records import keep_break, record
from tests.include.watch.signatures import flag, sign

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.page_data.signed_months import Month

NOW = datetime.datetime(2026, 11, 6, 3, tzinfo=datetime.UTC)
SINCE_MAY = Profile(name="default", start_date=datetime.date(2026, 5, 20))


def named(months: list[Month]) -> list[tuple[str, str]]:
    return [(f"{each.period:%Y-%m}", each.state) for each in months]


def each_state(store: Connection) -> None:
    """May and June are countersigned and June has changed, July is signed, August signed again over its changes."""
    sign(store, "2026-05-01", "Otto")
    flag(store, sign(store, "2026-06-01", "Otto"), datetime.date(2026, 6, 3))
    sign(store, "2026-07-01")
    flag(store, sign(store, "2026-08-01", "Otto"), datetime.date(2026, 8, 3))
    sign(store, "2026-08-01", signed_by="Maija")


def needing(cursor: Cursor, profile: Profile, now: datetime.datetime = NOW) -> list[Month]:
    return read_months_needing(cursor, [profile], now)[profile.name]


def test_each_month_from_the_one_of_start_date_to_the_last_that_is_over_says_how_it_is_signed(
    store: Connection,
) -> None:
    each_state(store)
    with store.cursor() as cursor:
        found = read_months(cursor, SINCE_MAY, NOW)
    assert named(found) == [
        ("2026-10", "unsigned"),
        ("2026-09", "unsigned"),
        ("2026-08", "signed"),
        ("2026-07", "signed"),
        ("2026-06", "changed"),
        ("2026-05", "countersigned"),
    ]
    assert [(each.signed_by, each.countersigned_by) for each in found[1:4]] == [
        (None, None),
        ("Maija", None),
        ("Anna", None),
    ]


def test_what_changed_needs_somebody_before_what_nobody_countersigned_and_what_is_not_signed_needs_nobody(
    store: Connection,
) -> None:
    each_state(store)
    with store.cursor() as cursor:
        assert named(needing(cursor, SINCE_MAY)) == [
            ("2026-06", "changed"),
            ("2026-08", "signed"),
            ("2026-07", "signed"),
        ]


def test_a_month_is_changed_where_the_watch_tells_of_it_and_its_own_page_does(store: Connection) -> None:
    each_state(store)
    with store.cursor() as cursor:
        months = read_months(cursor, SINCE_MAY, NOW)
        changed = {f"{each.period:%Y-%m}" for each in months if each.state == "changed"}
        flagged = {
            f"{each.period:%Y-%m}" for each in months if period_status(cursor, SINCE_MAY, each.period, now=NOW).flags
        }
        assert changed == flagged == set(ChangedPeriods(SINCE_MAY, NOW).found(cursor))


def test_a_month_is_over_by_each_profiles_own_clock(store: Connection) -> None:
    helsinki = Profile(name="default", start_date=datetime.date(2026, 9, 1))
    oslo = Profile(name="oslo", start_date=datetime.date(2026, 9, 1), timezone="Europe/Oslo")
    with store.cursor() as cursor:
        between = datetime.datetime(2026, 10, 31, 22, 30, tzinfo=datetime.UTC)
        assert [len(read_months(cursor, each, between)) for each in (helsinki, oslo)] == [2, 1]
        after = datetime.datetime(2026, 10, 31, 23, tzinfo=datetime.UTC)
        assert [len(read_months(cursor, each, after)) for each in (helsinki, oslo)] == [2, 2]


def test_a_month_before_start_date_which_nobody_could_sign_again_is_none_of_them(store: Connection) -> None:
    each_state(store)
    since_july = Profile(name="default", start_date=datetime.date(2026, 7, 31))
    with store.cursor() as cursor:
        assert [period for period, _ in named(read_months(cursor, since_july, NOW))][-1] == "2026-07"
        assert named(needing(cursor, since_july)) == [("2026-08", "signed"), ("2026-07", "signed")]


def test_before_a_first_month_is_over_there_is_none(store: Connection) -> None:
    with store.cursor() as cursor:
        for start in (datetime.date(2026, 11, 1), datetime.date(2027, 1, 1)):
            assert read_months(cursor, Profile(name="default", start_date=start), NOW) == []


def test_no_month_lies_before_those_that_the_page_has(store: Connection) -> None:
    with store.cursor() as cursor:
        oldest = read_months(cursor, Profile(name="default", start_date=datetime.date(1999, 5, 1)), NOW)[-1]
    assert oldest.period == datetime.date(2000, 1, 1)


def test_each_profile_has_its_own_signatures(store: Connection) -> None:
    sign(store, "2026-07-01")
    sign(store, "2026-06-01", profile="other")
    other = Profile(name="other", start_date=SINCE_MAY.start_date)
    with store.cursor() as cursor:
        found = read_months_needing(cursor, [other, SINCE_MAY], NOW)
    assert {name: named(months) for name, months in found.items()} == {
        "other": [("2026-06", "signed")],
        "default": [("2026-07", "signed")],
    }


def decided(
    store: Connection,
    month: int,
    *,
    signed: int | None = None,
    by: str = "Anna",
    what: str = "reopened",
    is_shown: bool = False,
    earlier: int = 0,
    profile: str = "default",
) -> tuple[int, int]:
    """Somebody decides of a break that a signed month rests on, which is flagged; the event's id and the break's.

    :param is_shown: by a reconciliation, and not by a person; ``earlier``: by so many seconds.
    """
    period = datetime.date(2026, month, 1)
    signed = signed or sign(store, str(period), "Otto", profile=profile)
    number = record(store, period, "breaks", profile=profile)
    keep_break(store, number, f"b:{number}", "ledger_behind", "open")
    [(event_id, break_id)] = query(
        store,
        "INSERT INTO ropo.reconciliation_break_event (break_id, at, by_whom, kind, note) "
        "SELECT break_id, %s, %s, %s, 'known' FROM ropo.reconciliation_break WHERE invoice_key = %s "
        "RETURNING event_id, break_id",
        (NOW, by, what, f"b:{number}"),
    )
    query(
        store,
        "INSERT INTO ropo.period_sign_off_flag (sign_off_id, at, business_date, reconciliation_id, break_id, kind, "
        "note) VALUES (%s, %s, %s, %s, %s, 'break_reopened', 'x') RETURNING 1",
        (signed, NOW - datetime.timedelta(seconds=earlier), period, number if is_shown else None, break_id),
    )
    return int(str(event_id)), int(str(break_id))


def test_changed_by_a_person_are_the_months_that_this_one_has_changed_since_and_that_stand(store: Connection) -> None:
    since, _ = decided(store, 1)
    _, of_april = decided(store, 4)
    march = sign(store, "2026-03-01", "Otto")
    for _ in range(2):
        decided(store, 3, signed=march)
    decided(store, 2, profile="other")
    decided(store, 5, by="Bob")
    decided(store, 6, what="commented")
    decided(store, 8, is_shown=True)
    decided(store, 9, earlier=1)
    decided(store, 10)
    sign(store, "2026-10-01")
    with store.cursor() as cursor:
        every = read_months_flagged(cursor, SINCE_MAY, by="Anna", since=since)
        of_one = read_months_flagged(cursor, SINCE_MAY, by="Anna", since=since, break_id=of_april)
    assert named(every) == [("2026-03", "changed"), ("2026-04", "changed")]
    assert named(of_one) == [("2026-04", "changed")]
    assert {(each.signed_by, each.countersigned_by) for each in every} == {("Anna", "Otto")}
