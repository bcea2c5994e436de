"""The journal: the window of dates that a poll's loss would lie in, and what is judged of polls left open."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.profiles import Profile
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource
from tests.include.status_store.views import drain, execute, outcomes, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.status_store.journal import Outcome
    from include.status_store.session import Session

WINDOW = (
    "SELECT window_from, window_to, bounded FROM ropo.status_poll WHERE kind = 'drain' ORDER BY poll_id DESC LIMIT 1"
)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def profile() -> Profile:
    return Profile(name="default", start_date=datetime.date(2026, 1, 1), late_days=7)


@pytest.fixture
def today(profile: Profile) -> datetime.date:
    return profile.business_date(datetime.datetime.now(datetime.UTC))


def doubt(session: Session, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))


def move(store: Connection, poll_id: int, **by: int) -> None:
    """Move a poll in time, as if the clock had been another."""
    interval = datetime.timedelta(**by)
    execute(
        store,
        "UPDATE ropo.status_poll SET opened_at = opened_at + %s, closed_at = closed_at + %s WHERE poll_id = %s",
        (interval, interval, poll_id),
    )


def test_before_any_204_a_window_reaches_back_to_the_start_date(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)

    assert query(store, WINDOW) == [(profile.start_date, today + DAY, True)]


def test_a_start_date_that_lies_ahead_still_leaves_a_window(
    session: Session, store: Connection, today: datetime.date
) -> None:
    doubt(session, Profile(name="default", start_date=today + 30 * DAY))

    assert query(store, WINDOW) == [(today, today + DAY, True)]


def test_after_a_204_a_window_reaches_back_to_it_less_the_late_days(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 1, days=-20)

    doubt(session, profile)

    assert query(store, WINDOW) == [(today - 27 * DAY, today + DAY, False)]


def test_the_newest_204_counts_and_that_of_another_profile_does_not(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    for poll_id, age in ((1, -30), (2, -10)):
        drain(session, profile, ScriptedSource(EMPTY))
        move(store, poll_id, days=age)
    drain(session, Profile(name="other"), ScriptedSource(EMPTY, queue=("other", "2")))

    doubt(session, profile)

    assert query(store, WINDOW) == [(today - 17 * DAY, today + DAY, False)]


def test_a_204_that_a_reread_was_answered_with_says_nothing_of_the_queue(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 1, days=-30)
    Reread(session, ScriptedSource(EMPTY), Journal(profile)).by_date(today - DAY)

    doubt(session, profile)

    assert query(store, WINDOW) == [(today - 37 * DAY, today + DAY, False)]


def test_a_204_of_a_clock_that_ran_ahead_is_not_counted_from_but_the_one_before_it_is(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """Nobody knows when it really was: any day since the one before it."""
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 1, days=-20)
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 2, days=3)

    doubt(session, profile)

    assert query(store, WINDOW) == [(today - 27 * DAY, today + DAY, False)]


# Its moment is to come in years, or has come by now.
@pytest.mark.parametrize("ahead", [{"days": 3650}, {"minutes": -1}])
def test_a_clock_that_once_ran_ahead_does_not_count_for_ever(
    session: Session, store: Connection, profile: Profile, today: datetime.date, ahead: dict[str, int]
) -> None:
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 1, **ahead)
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 2, days=-20)

    doubt(session, profile)

    assert query(store, WINDOW) == [(today - 27 * DAY, today + DAY, False)]


def test_what_was_recorded_while_the_204_was_under_way_was_not_drained_by_it(
    session: Session, store: Connection, today: datetime.date
) -> None:
    profile = Profile(name="default", late_days=0)
    drain(session, profile, ScriptedSource(EMPTY))
    execute(store, "UPDATE ropo.status_poll SET opened_at = opened_at - interval '1 day'")

    doubt(session, profile)

    assert query(store, WINDOW) == [(today - DAY, today + DAY, False)]


def test_a_poll_left_open_for_days_has_a_window_until_the_day_after_it_is_noticed(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    drain(session, profile, ScriptedSource(EMPTY))
    move(store, 1, days=-20)
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")
    move(store, 2, days=-10)

    drain(session, profile, ScriptedSource(EMPTY))

    assert query(store, WINDOW.replace("WHERE", "WHERE outcome = 'in_doubt' AND")) == [
        (today - 27 * DAY, today + DAY, False)
    ]


def test_a_poll_that_was_opened_by_a_clock_ahead_has_a_window_until_the_day_after_that(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")
    move(store, 1, days=5)

    drain(session, profile, ScriptedSource(EMPTY))

    assert query(store, WINDOW.replace("WHERE", "WHERE outcome = 'in_doubt' AND")) == [
        (profile.start_date, today + 6 * DAY, True)
    ]


# At any moment it is another day than UTC's in one of them.
@pytest.mark.parametrize("timezone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_where_the_start_date_lies_ahead_today_is_the_markets(
    session: Session, store: Connection, timezone: str
) -> None:
    market = Profile(name="default", timezone=timezone)
    today = market.business_date(datetime.datetime.now(datetime.UTC))

    doubt(session, msgspec.structs.replace(market, start_date=today + 30 * DAY))

    assert query(store, WINDOW) == [(today, today + DAY, True)]


@pytest.mark.parametrize("outcome", ["unsent", "refused"])
def test_a_poll_that_was_not_served_does_not_show_that_a_page_can_be_kept_after_a_doubt(
    session: Session, profile: Profile, outcome: Outcome
) -> None:
    doubt(session, profile)
    journal = Journal(profile)

    with session.transaction() as cursor:
        journal.close(cursor, journal.open(cursor, "drain"), outcome)
        assert journal.ended_in_doubt(cursor)
        journal.close(cursor, journal.open(cursor, "drain"), "empty")
        assert not journal.ended_in_doubt(cursor)


@pytest.mark.parametrize(
    ("timezone", "moment", "business_date"),
    [
        ("Europe/Helsinki", "2026-11-13 22:30+00", datetime.date(2026, 11, 14)),
        ("Europe/Stockholm", "2026-11-13 22:30+00", datetime.date(2026, 11, 13)),
        ("Europe/Helsinki", "2026-03-28 22:30+00", datetime.date(2026, 3, 29)),
        ("Europe/Helsinki", "2026-10-24 21:30+00", datetime.date(2026, 10, 25)),
    ],
)
def test_days_are_the_markets(
    session: Session, store: Connection, timezone: str, moment: str, business_date: datetime.date
) -> None:
    profile = Profile(name="default", timezone=timezone, late_days=0)
    drain(session, profile, ScriptedSource(EMPTY))
    execute(store, "UPDATE ropo.status_poll SET opened_at = %s", (moment,))

    doubt(session, profile)

    assert query(store, WINDOW.replace("window_from, window_to, bounded", "window_from")) == [(business_date,)]


def test_only_old_rereads_are_judged_abandoned(session: Session, store: Connection, profile: Profile) -> None:
    for _ in range(2):
        with session.transaction() as cursor:
            Journal(profile).open(cursor, "date", "2026-11-13")
    move(store, 1, hours=-2)

    summary = drain(session, profile, ScriptedSource(EMPTY))

    assert (summary.abandoned, outcomes(store)) == (0, ["in_doubt", "open", "empty"])
    assert query(store, "SELECT recovery FROM ropo.status_poll WHERE poll_id = 1") == [(None,)]


def test_another_profiles_open_poll_is_not_judged(session: Session, store: Connection, profile: Profile) -> None:
    with session.transaction() as cursor:
        Journal(Profile(name="other")).open(cursor, "drain")

    assert drain(session, profile, ScriptedSource(EMPTY)).abandoned == 0
    assert outcomes(store) == ["open", "empty"]


def test_an_outcome_once_written_stays(session: Session, store: Connection, profile: Profile) -> None:
    journal = Journal(profile)
    with session.transaction() as cursor:
        poll_id = journal.open(cursor, "drain")
        journal.doubt(cursor, poll_id, error="the process died")
        journal.close(cursor, poll_id, "empty", http_status=204)
        emptied = journal.open(cursor, "drain")
        journal.close(cursor, emptied, "empty", http_status=204)
        journal.doubt(cursor, emptied, error="late")

    assert query(store, "SELECT outcome, error FROM ropo.status_poll ORDER BY poll_id") == [
        ("in_doubt", "the process died"),
        ("empty", None),
    ]


def test_a_poll_names_the_run_that_sent_it(session: Session, store: Connection, profile: Profile) -> None:
    with session.transaction() as cursor:
        Journal(profile, dag_id="ropo_status_drain", run_id="manual__1").open(cursor, "billnum", "21979215")

    assert query(store, "SELECT dag_id, run_id, kind, filter_value FROM ropo.status_poll") == [
        ("ropo_status_drain", "manual__1", "billnum", "21979215")
    ]
