"""Rows and pages that could not be parsed are told before the next date is judged."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.watch.not_parsed import NotParsed
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import drain
from tests.include.watch.records import told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from include.watch.alert import Alert


def alerts(session: Session, profile: Profile, *, days: float = 0) -> list[Alert]:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    return told(session, NotParsed(profile, now))


def test_where_all_is_parsed_nothing_is_told(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(page(row(1)), EMPTY))
    bad = ScriptedSource(page(row(1, amount="a lot")), EMPTY, queue=("ropo.example", "other"))
    drain(session, msgspec.structs.replace(profile, name="other"), bad)

    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.status_page SET parsed_at = NULL, parse_error = 'ValueError' WHERE poll_id IN "
            "(SELECT poll_id FROM ropo.status_poll WHERE profile = 'other')"
        )

    assert alerts(session, profile) == []


def test_rows_in_quarantine_are_told_once_with_the_reason_and_without_what_they_say(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="secret"), row(2)), EMPTY))

    (alert,) = alerts(session, profile)

    assert alert.subject == "[Ropo One] default: not parsed: 1 row in quarantine"
    assert "Reason: amount: expected a number such as 96.72, of at most 15 digits and 6 decimals, got" in alert.text
    assert "python -m include.status_store quarantine" in alert.text
    assert "secret" not in alert.text

    drain(session, profile, ScriptedSource(page(row(3, amount="secret")), EMPTY))
    assert alerts(session, profile) == [], "a new format brings some in each drain"
    assert len(alerts(session, profile, days=2)) == 1, "a reminder"

    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_quarantine SET resolved_at = now(), resolution = 'dismissed'")
    assert alerts(session, profile, days=5) == []


def test_a_page_whose_events_are_not_stored_is_told_and_anew_where_there_is_one_again(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1)), EMPTY))

    def set_parsed(*, parsed: bool) -> None:
        with store.cursor() as cursor:
            cursor.execute(
                "UPDATE ropo.status_page SET parsed_at = CASE WHEN %(parsed)s THEN now() END, "
                "parse_error = CASE WHEN NOT %(parsed)s THEN 'ValueError' END",
                {"parsed": parsed},
            )

    for _ in range(2):
        set_parsed(parsed=False)
        (alert,) = alerts(session, profile)
        assert alert.subject == "[Ropo One] default: not parsed: 1 page"
        set_parsed(parsed=True)
        assert alerts(session, profile) == []


@pytest.mark.parametrize(("pages_from", "oldest"), [("2026-10-01", "2026-10-02"), ("2026-10-20", "2026-10-06")])
def test_the_oldest_of_all_rows_and_pages_says_since_when(
    session: Session, store: Connection, profile: Profile, pages_from: str, oldest: str
) -> None:
    answers = (page(row(1, amount="a")), page(row(2, amount="b")), EMPTY)
    drain(session, profile, ScriptedSource(*answers))
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.status_quarantine SET first_seen_at = date '2026-10-05' + quarantine_id * interval '1 day'"
        )
        cursor.execute(
            "UPDATE ropo.status_page SET parsed_at = NULL, parse_error = 'ValueError', "
            "received_at = %s::date + poll_id * interval '1 day'",
            (pages_from,),
        )

    (alert,) = alerts(session, profile)

    assert alert.subject == "[Ropo One] default: not parsed: 2 rows in quarantine and 2 pages"
    assert f"The oldest is of {oldest} " in alert.text


def test_of_many_rows_each_reason_is_told_once_and_three_at_most(session: Session, profile: Profile) -> None:
    bad = ({"amount": "a"}, {"amount": "a"}, {"statustime": "x"}, {"statustype": ""})
    drain(session, profile, ScriptedSource(page(*(row(place, **each) for place, each in enumerate(bad, 1))), EMPTY))

    (alert,) = alerts(session, profile)

    reasons = [line.split(":")[1].strip() for line in alert.text.splitlines() if "Reason: " in line]
    assert reasons == ["amount", "statustime", "statustype"]
