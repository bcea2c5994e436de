"""Doubts that stay, and a queue whose end nobody has seen, are told after an hour."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError, PollUnsentError
from include.watch.queue import NotEmptied, OldDoubts, is_late
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.watch.records import told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from tests.include.status_store.scripted_source import Step


def drain(session: Session, profile: Profile, *answers: Step, run_id: str = "r1") -> None:
    source = ScriptedSource(*answers)
    Drain(session, source, Journal(profile, dag_id="drain", run_id=run_id), max_pages=10, max_seconds=30).run()


def now_plus(minutes: float) -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)


def test_a_doubt_is_told_when_it_is_older_than_an_hour(session: Session, profile: Profile) -> None:
    drain(session, profile, PollInDoubtError("timed out"))

    assert told(session, OldDoubts(profile, now_plus(59))) == []
    (alert,) = told(session, OldDoubts(profile, now_plus(61)))

    assert alert.subject == "[Ropo One] default: 1 poll has been in doubt for more than an hour"
    assert "python -m include.status_store doubts" in alert.text
    assert "left open: the newest run" not in alert.text
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


def test_a_doubt_that_comes_after_the_earlier_ones_were_settled_is_told_anew(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, PollInDoubtError("timed out"))
    told(session, OldDoubts(profile, now_plus(61)))
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET recovery = 'accepted'")
    assert told(session, OldDoubts(profile, now_plus(62))) == []
    drain(session, profile, PollInDoubtError("timed out"))

    assert len(told(session, OldDoubts(profile, now_plus(63)))) == 1


def test_a_poll_that_a_dead_process_left_open_is_a_doubt_too(session: Session, profile: Profile) -> None:
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")

    (alert,) = told(session, OldDoubts(profile, now_plus(61)))

    assert "next drain: 1" in alert.text
    assert "what keeps its drain from the first poll" in alert.text
    assert "accept POLL" not in alert.text, "it is no doubt yet that could be accepted"


def test_doubts_are_one_matter_of_the_oldest_poll_all_dates_that_they_reach_and_every_reason(
    session: Session, store: Connection, profile: Profile
) -> None:
    now = datetime.datetime(2026, 11, 2, 9, tzinfo=datetime.UTC)
    with store.cursor() as cursor:
        for minutes, run_id, first, last, recovery, reason, *of in (
            (120, "r1", 5, 7, "pending", None),
            (300, "r2", 6, 9, "unproven", "cut"),
            (180, "r3", 4, 5, "unproven", "cut"),
            (60, "r4", 5, 6, "unproven", "away"),
            (90, "r5", 1, None, None, None),  # left open: its window has no end, and is not told
            (59, "r6", 2, 20, "pending", "too young"),
            (400, "r7", 2, 20, "pending", "another's", "other"),
            (400, "r8", None, None, None, None, "default", "2026-10-01"),  # a re-read takes nothing out of the queue
        ):
            of_profile, filter_value = of[0] if of else "default", of[1] if len(of) > 1 else None
            cursor.execute(
                "INSERT INTO ropo.status_poll (profile, kind, filter_value, outcome, opened_at, closed_at, "
                "window_from, window_to, recovery, recovery_reason, dag_id, run_id) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'drain', %s)",
                (
                    of_profile,
                    "date" if filter_value else "drain",
                    filter_value,
                    "in_doubt" if recovery else "open",
                    now - datetime.timedelta(minutes=minutes),
                    now if recovery else None,
                    first and datetime.date(2026, 10, first),
                    last and datetime.date(2026, 10, last),
                    recovery,
                    reason,
                    run_id,
                ),
            )

    (alert,) = told(session, OldDoubts(profile, now))

    assert alert.subject == "[Ropo One] default: 5 polls have been in doubt for more than an hour"
    lines = alert.text.splitlines()
    assert lines[1].startswith("- The oldest poll is of 2026-11-02 06:00 EET. ")
    assert lines[2] == "- Business dates that they reach: 2026-10-04 to 2026-10-09"
    assert lines[3].startswith("- Could not be proven harmless: 3. ")
    assert lines[3].endswith("next drain: 1")
    assert [line for line in lines if "Reason" in line] == ["- Reason: away", "- Reason: cut"]
    assert any(line.endswith("/dags/drain/runs/r5") for line in lines)


@pytest.mark.parametrize(
    ("newest_204", "first_poll", "late"),
    [(60, None, True), (59, None, False), (59, 600, False), (None, 60, True), (None, 59, False), (None, None, False)],
)
def test_the_hour_is_that_since_the_newest_204_else_since_the_first_poll(
    newest_204: int | None, first_poll: int | None, *, late: bool
) -> None:
    now = datetime.datetime(2026, 11, 2, 9, tzinfo=datetime.UTC)
    newest, first = (
        None if minutes is None else now - datetime.timedelta(minutes=minutes) for minutes in (newest_204, first_poll)
    )
    assert is_late(newest, first, now) is late


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
    # Nor does it later on, when its moment is over: the newest is the poll that was made last.
    assert len(told(session, NotEmptied(profile, now_plus(2 * 24 * 60 + 30)))) == 1


def reread_of_nothing(session: Session, profile: Profile) -> None:
    """A re-read that is answered as an empty queue is: with a 204."""
    Reread(session, ScriptedSource(EMPTY), Journal(profile)).by_date(datetime.date(2026, 11, 13))


def test_a_204_to_a_reread_says_nothing_of_the_queue(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, page(row(2)), EMPTY)
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.status_poll SET opened_at = opened_at - interval '2 hours', "
            "closed_at = closed_at - interval '2 hours'"
        )
    reread_of_nothing(session, profile)
    Reread(session, ScriptedSource(page(row(1))), Journal(profile)).by_date(datetime.date(2026, 11, 13))

    (alert,) = told(session, NotEmptied(profile, now_plus(0)))

    assert "not emptied for more than an hour" in alert.subject
    assert "Drain polls of the last hour: none; they brought 0 new events" in alert.text
    assert "/dags/drain/runs/r1" in alert.text


def test_neither_a_reread_nor_another_profiles_drain_came_as_far_as_its_first_poll(
    session: Session, store: Connection, profile: Profile
) -> None:
    reread_of_nothing(session, profile)
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.status_poll (profile, kind, window_from) VALUES ('other', 'drain', '2026-11-01')"
        )

    (alert,) = told(session, NotEmptied(profile, now_plus(0)))

    assert "the queue was never asked" in alert.subject


def test_a_queue_that_never_gave_a_204_is_told_an_hour_after_the_first_poll(
    session: Session, store: Connection, profile: Profile
) -> None:
    for run_id, *pages in (("r1",), ("r2", page(row(1), row(2), row(3)))):
        with pytest.raises(PollUnsentError):
            drain(session, profile, *pages, PollUnsentError("refused"), run_id=run_id)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET opened_at = opened_at + interval '45 minutes' WHERE run_id = 'r2'")
        cursor.execute(
            "INSERT INTO ropo.status_poll (profile, kind, window_from, opened_at, dag_id, run_id) "
            "VALUES ('other', 'drain', '2026-11-01', now() + interval '50 minutes', 'drain', 'another')"
        )

    assert told(session, NotEmptied(profile, now_plus(59))) == []
    (alert,) = told(session, NotEmptied(profile, now_plus(61)))
    assert "There was none" in alert.text
    assert "Drain polls of the last hour: 1 landed, 1 unsent; they brought 3 new events" in alert.text
    assert "/dags/drain/runs/r2" in alert.text, "the newest run of the profile says why"


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
