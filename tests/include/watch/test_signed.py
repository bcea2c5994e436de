"""A month that changes after it was signed is told, until it is signed again."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.watch.signed import ChangedPeriods
from tests.include.watch.records import keep_break, record, told
from tests.include.watch.signatures import flag, sign

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session

DAY = datetime.date(2026, 10, 5)
NOW = datetime.datetime(2026, 11, 6, 3, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def test_it_says_who_signed_and_which_dates_changed(session: Session, store: Connection, profile: Profile) -> None:
    sign(store, "2026-09-01")
    signed = sign(store, countersigned_by="Otto")
    assert told(session, ChangedPeriods(profile, NOW)) == []
    flag(store, signed, DAY)
    flag(store, signed, DAY + datetime.timedelta(days=1))
    flag(store, signed, DAY)

    (alert,) = told(session, ChangedPeriods(profile, NOW))

    assert alert.subject == "[Ropo One] default: 2026-10 has changed since it was signed: 3 other results"
    assert (
        "It was signed by Anna and countersigned by Otto. Business dates that changed: 2026-10-05, 2026-10-06"
        in alert.text
    )
    assert "sign_off status 2026-10 --profile default" in alert.text


@pytest.mark.parametrize(("last", "named"), [(10, "2026-10-10"), (12, "2026-10-10 and 2 more")])
def test_ten_dates_that_changed_are_named_and_the_others_counted(
    session: Session, store: Connection, profile: Profile, last: int, named: str
) -> None:
    signed = sign(store)
    for day in range(1, last + 1):
        flag(store, signed, DAY.replace(day=day))

    (alert,) = told(session, ChangedPeriods(profile, NOW))

    assert (
        f"Business dates that changed: 2026-10-01, 2026-10-02, 2026-10-03, 2026-10-04, 2026-10-05, 2026-10-06, "
        f"2026-10-07, 2026-10-08, 2026-10-09, {named}\n" in alert.text
    )


def test_it_is_told_once_a_change_and_over_when_it_is_signed_again(
    session: Session, store: Connection, profile: Profile
) -> None:
    signed = sign(store)
    flag(store, signed, DAY)
    assert len(told(session, ChangedPeriods(profile, NOW))) == 1
    assert told(session, ChangedPeriods(profile, NOW + HOUR)) == []
    flag(store, signed, DAY)
    assert len(told(session, ChangedPeriods(profile, NOW + HOUR))) == 1
    sign(store)
    assert told(session, ChangedPeriods(profile, NOW + 48 * HOUR)) == []


def test_what_a_person_opened_again_is_told_though_no_reconciliation_shows_it(
    session: Session, store: Connection, profile: Profile
) -> None:
    signed = sign(store)
    keep_break(store, record(store, DAY), "b:1", "ledger_behind", "open")
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, break_id, note) "
            "SELECT %s, 'break_reopened', %s, break_id, 'x' FROM ropo.reconciliation_break",
            (signed, DAY),
        )

    (alert,) = told(session, ChangedPeriods(profile, NOW))

    assert alert.subject == "[Ropo One] default: 2026-10 has changed since it was signed: 1 break"
