"""What is measured of a profile is what its store holds."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.reconciliation.categories import CATEGORIES
from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError
from include.watch.measures import measure
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.watch.records import keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from include.watch.measures import Measures
    from tests.include.status_store.scripted_source import Step

NOW = datetime.datetime(2026, 11, 13, 8, tzinfo=datetime.UTC)


def drain(session: Session, profile: Profile, run_id: str, *answers: Step) -> None:
    journal = Journal(profile, dag_id="drain", run_id=run_id)
    Drain(session, ScriptedSource(*answers), journal, max_pages=10, max_seconds=30).run()


def look(session: Session, profile: Profile, run_id: str = "r", *, now: datetime.datetime = NOW) -> Measures:
    with session.transaction() as cursor:
        return measure(cursor, profile, now=now, dag_id="drain", run_id=run_id)


def test_events_drained_are_those_of_the_run_alone_and_only_the_new_ones(session: Session, profile: Profile) -> None:
    drain(session, profile, "first", page(row(1), row(2)), EMPTY)
    drain(session, profile, "second", page(row(2), row(3)), page(row(4)), EMPTY)
    journal = Journal(profile, dag_id="drain", run_id="second")  # a run asks again of what its drain left in doubt
    Reread(session, ScriptedSource(page(row(5))), journal).by_date(NOW.date())

    assert look(session, profile, "first").events_drained == 2
    assert look(session, profile, "second").events_drained == 2
    assert look(session, profile, "third").events_drained == 0
    with session.transaction() as cursor:  # runs of two DAGs may have one name
        assert measure(cursor, profile, now=NOW, dag_id="another", run_id="first").events_drained == 0


def test_the_lag_is_counted_from_the_newest_event_by_the_markets_clock(session: Session, profile: Profile) -> None:
    rows = (row(1, statustime="2026-11-13 09:59:00"), row(2, statustime="2026-11-13 09:00:00"))
    drain(session, profile, "r", page(*rows), EMPTY)

    assert look(session, profile).newest_event_lag_seconds == 60.0


@pytest.mark.parametrize(
    ("newest", "now", "lag"),
    [
        ("2026-10-25 02:30:00", datetime.datetime(2026, 10, 25, 3, tzinfo=datetime.UTC), 12_600.0),
        ("2026-03-29 03:30:00", datetime.datetime(2026, 3, 29, 1, tzinfo=datetime.UTC), 0.0),
    ],
    ids=["an hour that is there twice counts twice", "one that is not there makes no lag of less than none"],
)
def test_the_lag_is_time_that_has_passed_when_clocks_are_changed(
    session: Session, profile: Profile, newest: str, now: datetime.datetime, lag: float
) -> None:
    drain(session, profile, "r", page(row(1, statustime=newest)), EMPTY)

    assert look(session, profile, now=now).newest_event_lag_seconds == lag


def test_an_event_dated_ahead_hides_no_lag(session: Session, profile: Profile) -> None:
    rows = (row(1, statustime="2026-11-13 09:00:00"), row(2, statustime="2027-01-01 00:00:00"))
    drain(session, profile, "r", page(*rows), EMPTY)

    assert look(session, profile).newest_event_lag_seconds == 3600.0


def test_without_an_event_there_is_no_lag(session: Session, profile: Profile) -> None:
    assert look(session, profile).newest_event_lag_seconds is None


def test_polls_in_doubt_are_counted_until_they_are_recovered_or_accepted(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, "r", PollInDoubtError("timed out"))
    drain(session, profile, "r", PollInDoubtError("timed out"))
    assert look(session, profile).in_doubt_polls == 2
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET recovery = 'recovered' WHERE poll_id = 1")
        cursor.execute("UPDATE ropo.status_poll SET recovery = 'unproven' WHERE recovery = 'pending'")
    assert look(session, profile).in_doubt_polls == 1


def test_open_breaks_are_those_that_are_neither_accepted_nor_resolved(
    session: Session, store: Connection, profile: Profile
) -> None:
    reconciliation_id = record(store, datetime.date(2026, 11, 10), "breaks", break_count=5)
    for key, category, state in (
        ("b:1", "ledger_behind", "open"),
        ("b:2", "ledger_behind", "open"),
        ("b:3", "ledger_behind", "accepted"),
        ("b:1", "amount_mismatch", "resolved"),
        ("b:4", "missing_in_ledger", "open"),
    ):
        keep_break(store, reconciliation_id, key, category, state)

    breaks = look(session, profile).open_breaks

    assert {category: count for category, count in breaks.items() if count} == {
        "ledger_behind": 2,
        "missing_in_ledger": 1,
    }
    assert set(breaks) == set(CATEGORIES) - {"matched"}
