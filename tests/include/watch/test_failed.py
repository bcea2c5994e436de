"""A task that failed is told once and as a reminder, until it succeeds again."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store.database import connect
from include.status_store.session import Session
from include.watch.failed import FailedTasks, note_failure, note_success
from include.watch.topics import tell
from tests.include.watch.records import BASE_URL, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.watch.alert import Alert

NOW = datetime.datetime(2026, 11, 2, 3, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
RECHECK = "ropo_reconciliation recheck"
COMPARE = "ropo_full_comparison compare"


def fail(session: Session, task: str, at: datetime.datetime = NOW, date: str = "") -> None:
    with session.transaction() as cursor:
        note_failure(cursor, "default", task, at, date=date)


def succeed(session: Session, task: str, at: datetime.datetime) -> None:
    with session.transaction() as cursor:
        note_success(cursor, "default", task, at)


def test_it_says_what_failed_since_when_what_that_means_and_what_to_do(session: Session, profile: Profile) -> None:
    fail(session, RECHECK)

    (alert,) = told(session, FailedTasks(profile, NOW, run_ids={RECHECK: "scheduled 1"}))

    assert alert.subject == "[Ropo One] default: earlier dates could not be compared again"
    assert "The task recheck of ropo_reconciliation failed at 2026-11-02 05:00 EET" in alert.text
    assert "a pending date stays pending when its grace is over" in alert.text
    assert "/dags/ropo_reconciliation/runs/scheduled%201" in alert.text


def test_a_task_that_goes_on_failing_is_told_again_as_a_reminder_alone(session: Session, profile: Profile) -> None:
    fail(session, RECHECK)
    told(session, FailedTasks(profile, NOW))
    fail(session, RECHECK, NOW + DAY / 2)

    assert told(session, FailedTasks(profile, NOW + DAY / 2)) == []
    (alert,) = told(session, FailedTasks(profile, NOW + DAY))
    assert "failed at 2026-11-02 05:00 EET and has not succeeded since" in alert.text
    assert "/dags/ropo_reconciliation\n" in alert.text


def test_it_ends_when_the_task_succeeds_and_a_new_failure_is_told_anew(session: Session, profile: Profile) -> None:
    fail(session, RECHECK)
    told(session, FailedTasks(profile, NOW))
    succeed(session, RECHECK, NOW + DAY)

    assert told(session, FailedTasks(profile, NOW + 2 * DAY)) == []
    fail(session, RECHECK, NOW + 3 * DAY)
    (alert,) = told(session, FailedTasks(profile, NOW + 3 * DAY))
    assert "failed at 2026-11-05" in alert.text


def test_the_success_of_one_task_ends_no_other(session: Session, profile: Profile) -> None:
    fail(session, RECHECK)
    fail(session, "ropo_maintenance erase_texts")
    succeed(session, RECHECK, NOW)

    (alert,) = told(session, FailedTasks(profile, NOW))
    assert alert.subject == "[Ropo One] default: texts past their retention could not be erased"


def test_what_could_not_be_sent_is_told_by_the_next_look(session: Session, profile: Profile) -> None:
    """A full comparison is made once a month: where the mail server was away then, nothing else would tell it."""
    fail(session, COMPARE, date="2026-10-31")

    def refuse(alert: Alert) -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        tell(session, FailedTasks(profile, NOW), refuse, base_url=BASE_URL)

    assert len(told(session, FailedTasks(profile, NOW))) == 1


def test_what_fails_while_a_look_is_under_way_is_told_by_the_next(
    session: Session, store_dsn: str, profile: Profile
) -> None:
    class Meanwhile(FailedTasks):
        def found(self, cursor: Cursor) -> Mapping[str, str]:
            found = super().found(cursor)
            with Session(lambda: connect(store_dsn)) as other:
                fail(other, RECHECK)
            return found

    assert told(session, Meanwhile(profile, NOW)) == []
    assert len(told(session, FailedTasks(profile, NOW))) == 1


def test_a_success_waits_until_the_failure_that_is_being_told_is_told(
    session: Session, store_dsn: str, profile: Profile
) -> None:
    """Else what succeeded meanwhile would be told, and stand there as a failure until the next success."""
    fail(session, RECHECK)

    class Meanwhile(FailedTasks):
        def found(self, cursor: Cursor) -> Mapping[str, str]:
            found = super().found(cursor)
            with Session(lambda: connect(store_dsn)) as other, other.transaction() as writing:
                writing.execute("SET LOCAL lock_timeout = '50ms'")
                with pytest.raises(psycopg2.errors.LockNotAvailable):
                    note_success(writing, "default", RECHECK, NOW)
                writing.connection.rollback()
            return found

    assert len(told(session, Meanwhile(profile, NOW))) == 1


def test_a_full_comparison_is_named_by_its_date_and_that_of_another_date_is_told_at_once(
    session: Session, profile: Profile
) -> None:
    fail(session, COMPARE, date="2026-10-31")
    (alert,) = told(session, FailedTasks(profile, NOW))
    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-31 failed"
    assert "sign-off needs a full comparison" in alert.text

    fail(session, COMPARE, NOW, date="2026-10-31")
    assert told(session, FailedTasks(profile, NOW)) == []
    fail(session, COMPARE, NOW + 29 * DAY, date="2026-11-30")
    (alert,) = told(session, FailedTasks(profile, NOW + 29 * DAY))
    assert alert.subject == "[Ropo One] default: the full comparison of 2026-11-30 failed"
    assert "failed at 2026-12-01" in alert.text


def test_a_task_of_somebodys_own_is_named(session: Session, profile: Profile) -> None:
    fail(session, "own_dag own_task")

    (alert,) = told(session, FailedTasks(profile, NOW))

    assert alert.subject == "[Ropo One] default: the task own_task of own_dag failed"
