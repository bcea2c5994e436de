"""Doubts that stay, and a queue whose end nobody has seen, are told after an hour."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError, PollUnsentError
from include.watch.queue import NotEmptied, OldDoubts
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.watch.records import told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session


def drain(session: Session, profile: Profile, *answers: object) -> None:
    source = ScriptedSource(*answers)  # type: ignore[arg-type]
    Drain(session, source, Journal(profile, dag_id="drain", run_id="r1"), max_pages=10, max_seconds=30).run()


def now_plus(minutes: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)


def test_a_doubt_is_told_when_it_is_older_than_an_hour(session: Session, profile: Profile) -> None:
    drain(session, profile, PollInDoubtError("timed out"))

    assert told(session, OldDoubts(profile, now_plus(59))) == []
    (alert,) = told(session, OldDoubts(profile, now_plus(61)))

    assert alert.subject == "[Ropo One] default: 1 poll has been in doubt for more than an hour"
    assert "python -m include.status_store doubts" in alert.text
    assert "/dags/drain/runs/r1" in alert.text


def test_a_further_doubt_of_the_same_outage_waits_for_the_reminder(session: Session, profile: Profile) -> None:
    drain(session, profile, PollInDoubtError("timed out"))
    told(session, OldDoubts(profile, now_plus(61)))
    drain(session, profile, PollInDoubtError("timed out"))

    assert told(session, OldDoubts(profile, now_plus(76))) == []
    (alert,) = told(session, OldDoubts(profile, now_plus(61 + 24 * 60)))
    assert "2 polls have" in alert.subject


def test_a_doubt_that_was_recovered_or_accepted_is_none(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, PollInDoubtError("timed out"))
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET recovery = 'accepted'")

    assert told(session, OldDoubts(profile, now_plus(61))) == []


def test_a_poll_that_a_dead_process_left_open_is_a_doubt_too(session: Session, profile: Profile) -> None:
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")

    (alert,) = told(session, OldDoubts(profile, now_plus(61)))

    assert "next drain: 1" in alert.text


def test_no_204_for_an_hour_is_told_with_what_became_of_the_polls(session: Session, profile: Profile) -> None:
    drain(session, profile, page(row(1)), EMPTY)
    with pytest.raises(PollUnsentError):
        drain(session, profile, PollUnsentError("refused"))

    assert told(session, NotEmptied(profile, now_plus(59))) == []
    (alert,) = told(session, NotEmptied(profile, now_plus(60.5)))

    assert "not emptied for more than an hour" in alert.subject
    assert "The newest was at" in alert.text


def test_a_204_ends_the_alert_and_a_new_outage_is_told_anew(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, EMPTY)
    assert len(told(session, NotEmptied(profile, now_plus(61)))) == 1
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET closed_at = closed_at + interval '70 minutes'")
    assert told(session, NotEmptied(profile, now_plus(75))) == []
    assert len(told(session, NotEmptied(profile, now_plus(140)))) == 1


def test_a_204_of_a_clock_that_ran_ahead_does_not_hide_that_the_queue_is_not_emptied(
    session: Session, store: Connection, profile: Profile
) -> None:
    """Nobody knows when it really was; the one before it counts, else the first poll."""
    drain(session, profile, EMPTY)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET closed_at = closed_at + interval '2 days'")
    assert told(session, NotEmptied(profile, now_plus(59))) == []
    (alert,) = told(session, NotEmptied(profile, now_plus(61)))
    assert "There was none" in alert.text

    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from) VALUES "
            "('default', 'drain', 'empty', now() + interval '50 minutes', now() + interval '50 minutes', '2026-11-01')"
        )
    assert told(session, NotEmptied(profile, now_plus(62))) == []


def reread_of_nothing(session: Session, profile: Profile) -> None:
    """A re-read that is answered as an empty queue is: with a 204."""
    Reread(session, ScriptedSource(EMPTY), Journal(profile)).by_date(datetime.date(2026, 11, 13))


def test_a_204_to_a_reread_says_nothing_of_the_queue(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, EMPTY)
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.status_poll SET opened_at = opened_at - interval '2 hours', "
            "closed_at = closed_at - interval '2 hours'"
        )
    reread_of_nothing(session, profile)

    (alert,) = told(session, NotEmptied(profile, now_plus(0)))

    assert "not emptied for more than an hour" in alert.subject
    assert "Drain polls of the last hour: none" in alert.text
    assert "/dags/drain/runs/r1" in alert.text


def test_a_reread_is_no_drain_that_came_as_far_as_its_first_poll(session: Session, profile: Profile) -> None:
    reread_of_nothing(session, profile)

    (alert,) = told(session, NotEmptied(profile, now_plus(0)))

    assert "the queue was never asked" in alert.subject


def test_a_queue_that_never_gave_a_204_is_told_an_hour_after_the_first_poll(session: Session, profile: Profile) -> None:
    with pytest.raises(PollUnsentError):
        drain(session, profile, PollUnsentError("refused"))

    assert told(session, NotEmptied(profile, now_plus(59))) == []
    (alert,) = told(session, NotEmptied(profile, now_plus(61)))
    assert "There was none" in alert.text


def test_a_profile_whose_drain_never_began_a_poll_is_told_at_once_and_no_more_when_it_did(
    session: Session, profile: Profile
) -> None:
    """Its connection is missing, say: the watch runs after the drain, which leaves a poll whenever it can."""
    (alert,) = told(session, NotEmptied(profile, now_plus(0)))

    assert alert.subject == "[Ropo One] default: the queue was never asked: no drain came as far as its first poll"
    assert "python -m include.config.check" in alert.text
    assert told(session, NotEmptied(profile, now_plus(15))) == []
    drain(session, profile, EMPTY)
    assert told(session, NotEmptied(profile, now_plus(30))) == []
    assert len(told(session, NotEmptied(profile, now_plus(61)))) == 1


def test_a_drain_that_fails_before_its_polls_is_told_an_hour_after_the_newest_204(
    session: Session, profile: Profile
) -> None:
    drain(session, profile, EMPTY)

    (alert,) = told(session, NotEmptied(profile, now_plus(61 + 60)))

    assert "Drain polls of the last hour: none" in alert.text
    assert "None: no drain came as far as its first poll" in alert.text


def test_a_profile_that_was_never_polled_is_not_in_doubt(session: Session, profile: Profile) -> None:
    assert told(session, OldDoubts(profile, now_plus(600))) == []
