"""A task that began and is not over in time is told as one that failed: its process may have been killed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.status_store.database import connect
from include.status_store.session import Session
from include.watch.failed import FailedTasks, note_failure, note_success
from include.watch.register import Register
from include.watch.topics import tell
from include.watch.under_way import note_begin, note_done, note_end
from local_airflow.waiting import until
from tests.include.status_store.views import column, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock
from tests.include.watch.records import BASE_URL, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection

    from include.watch.alert import Alert

NOW = datetime.datetime(2026, 11, 2, 3, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
PAGES = "ropo_maintenance remove_pages"
COMPARE = "ropo_full_comparison compare"
OCTOBER, NOVEMBER = datetime.date(2026, 10, 31), datetime.date(2026, 11, 30)


def begin(
    session: Session,
    task: str = PAGES,
    *,
    run: str = "run 1",
    until: datetime.datetime = NOW,
    date: datetime.date | None = None,
) -> None:
    with session.transaction() as cursor:
        note_begin(cursor, "default", task, run, until=until, date=date)


def end(session: Session, task: str = PAGES, *, run: str = "run 1") -> None:
    with session.transaction() as cursor:
        note_end(cursor, "default", task, run)


def succeed(session: Session, task: str = PAGES, *, run: str = "run 1", at: datetime.datetime = NOW) -> None:
    with session.transaction() as cursor:
        note_done(cursor, "default", task, run)
        note_success(cursor, "default", task, at)


def subjects(session: Session, profile: Profile, now: datetime.datetime = NOW) -> list[str]:
    return [alert.subject.removeprefix("[Ropo One] default: ") for alert in told(session, FailedTasks(profile, now))]


def test_what_is_not_over_in_time_is_told_once_with_its_run_and_what_may_have_become_of_it(
    session: Session, profile: Profile
) -> None:
    begin(session, until=NOW)

    assert told(session, FailedTasks(profile, NOW - MINUTE)) == []
    (alert,) = told(session, FailedTasks(profile, NOW + MINUTE))
    assert alert.subject == "[Ropo One] default: raw pages past their retention could not be removed"
    assert "remove_pages of ropo_maintenance began and was not over by 2026-11-02 05:00 EET" in alert.text
    assert "its process was killed, as where memory runs out" in alert.text
    assert "/dags/ropo_maintenance/runs/run%201" in alert.text
    assert told(session, FailedTasks(profile, NOW + 2 * MINUTE)) == []


def test_a_reminder_of_it_is_as_any_others_and_the_tasks_success_ends_it(session: Session, profile: Profile) -> None:
    begin(session)
    told(session, FailedTasks(profile, NOW + MINUTE))
    day = datetime.timedelta(days=1)

    (reminder,) = told(session, FailedTasks(profile, NOW + day + MINUTE))
    assert "failed at 2026-11-02 05:00 EET and has not succeeded since" in reminder.text
    begin(session, run="run 2", until=NOW + day)
    succeed(session, run="run 2", at=NOW + day)
    assert told(session, FailedTasks(profile, NOW + 3 * day)) == []


def test_what_ended_in_time_is_not_told(session: Session, profile: Profile) -> None:
    begin(session)
    end(session)

    assert told(session, FailedTasks(profile, NOW)) == []


def test_a_run_that_begins_again_has_its_time_anew(session: Session, profile: Profile) -> None:
    begin(session)
    begin(session, until=NOW + 10 * MINUTE)

    assert told(session, FailedTasks(profile, NOW)) == []
    assert len(told(session, FailedTasks(profile, NOW + 10 * MINUTE))) == 1


def test_a_run_that_begins_again_with_another_date_is_named_by_that_one(session: Session, profile: Profile) -> None:
    begin(session, COMPARE, date=OCTOBER)
    begin(session, COMPARE, date=NOVEMBER)

    assert subjects(session, profile) == ["the full comparison of 2026-11-30 failed"]


def test_a_run_that_begins_again_while_the_watch_looks_is_not_told(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    begin(session)
    found: list[Alert] = []

    def look() -> None:
        with Session(lambda: connect(store_dsn)) as other:
            found.extend(told(other, FailedTasks(profile, NOW)))

    with session.transaction() as cursor:
        note_begin(cursor, "default", PAGES, "run 1", until=NOW + MINUTE)
        with meanwhile(look):
            until(lambda: waiting_for_a_lock(store))
            cursor.connection.commit()

    assert found == []
    assert column(store, "SELECT run_id FROM ropo.task_under_way") == ["run 1"]


def test_the_end_of_one_run_is_not_that_of_another_nor_of_another_task(session: Session, profile: Profile) -> None:
    begin(session)
    begin(session, run="run 2", until=NOW + MINUTE)
    begin(session, "ropo_maintenance erase_texts", until=NOW + MINUTE)
    end(session, run="run 2")

    assert subjects(session, profile) == ["raw pages past their retention could not be removed"]
    assert len(subjects(session, profile, NOW + MINUTE)) == 1


def test_a_success_stands_for_every_run_of_the_same_task_and_date(session: Session, profile: Profile) -> None:
    """A killed run is often done again as another run, before its time is over."""
    begin(session, run="killed")
    begin(session, run="again", until=NOW + MINUTE)
    begin(session, COMPARE, run="killed october", date=OCTOBER)
    begin(session, COMPARE, run="killed november", date=NOVEMBER)
    begin(session, COMPARE, run="october again", date=OCTOBER)
    succeed(session, run="again")
    succeed(session, COMPARE, run="october again")

    assert subjects(session, profile, NOW + MINUTE) == ["the full comparison of 2026-11-30 failed"]


def test_each_date_is_told_one_look_after_the_other(session: Session, profile: Profile) -> None:
    begin(session, COMPARE, run="later", until=NOW, date=OCTOBER)
    begin(session, COMPARE, run="earlier", until=NOW - MINUTE, date=NOVEMBER)

    assert subjects(session, profile) == ["the full comparison of 2026-11-30 failed"]
    assert subjects(session, profile) == ["the full comparison of 2026-10-31 failed"]
    assert subjects(session, profile) == []


def test_of_each_task_one_run_is_told_at_a_time_whatever_waits_of_other_tasks(
    session: Session, profile: Profile
) -> None:
    begin(session, COMPARE, run="earlier", until=NOW - MINUTE, date=NOVEMBER)
    begin(session, COMPARE, run="later", date=OCTOBER)
    begin(session, run="later")
    with session.transaction() as cursor:
        note_failure(cursor, "default", "ropo_maintenance erase_texts", NOW)

    assert subjects(session, profile) == ["3 tasks failed"]
    assert subjects(session, profile) == ["the full comparison of 2026-10-31 failed"]


def test_a_date_whose_failure_waits_to_be_told_goes_first(session: Session, profile: Profile) -> None:
    """As in the callback of a failure, which is written down before it is told."""
    begin(session, COMPARE, run="killed", date=OCTOBER)
    with session.transaction() as cursor:
        note_failure(cursor, "default", COMPARE, NOW, date=str(NOVEMBER))

    assert subjects(session, profile) == ["the full comparison of 2026-11-30 failed"]
    assert subjects(session, profile) == ["the full comparison of 2026-10-31 failed"]


@pytest.mark.parametrize(
    ("of_profile", "of_topic"), [("other", "failed_task"), ("default", "other"), ("default", "failed_task")]
)
def test_what_is_over_or_another_topics_or_profiles_is_not_waited_for(
    session: Session, profile: Profile, of_profile: str, of_topic: str
) -> None:
    begin(session)
    with session.transaction() as cursor:
        register = Register(cursor, of_profile, of_topic, now=NOW - MINUTE, remind=MINUTE)
        register.due({PAGES: ""})
        if (of_profile, of_topic) == ("default", "failed_task"):
            register.end(PAGES)

    assert subjects(session, profile) == ["raw pages past their retention could not be removed"]


def test_one_whose_failure_was_told_already_is_not_told_again(session: Session, profile: Profile) -> None:
    """Its callback told it and could not take the mark back."""
    begin(session, COMPARE, date=OCTOBER)
    with session.transaction() as cursor:
        note_failure(cursor, "default", COMPARE, NOW - MINUTE, date=str(OCTOBER))
    told(session, FailedTasks(profile, NOW - MINUTE))

    assert told(session, FailedTasks(profile, NOW)) == []


def test_what_could_not_be_sent_is_told_by_the_next_look_in_the_same_words(
    session: Session, store: Connection, profile: Profile
) -> None:
    begin(session)

    def refuse(alert: Alert) -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        tell(session, FailedTasks(profile, NOW), refuse, base_url=BASE_URL)

    (alert,) = told(session, FailedTasks(profile, NOW))
    assert "was not over by" in alert.text
    assert column(store, "SELECT count(*) FROM ropo.task_under_way") == [0]


def test_another_profiles_task_is_left_to_its_own_watch(session: Session, store: Connection, profile: Profile) -> None:
    with session.transaction() as cursor:
        note_begin(cursor, "other", PAGES, "run 1", until=NOW)

    assert told(session, FailedTasks(profile, NOW)) == []
    assert column(store, "SELECT profile FROM ropo.task_under_way") == ["other"]


@pytest.mark.parametrize(
    "becomes", [end, succeed, lambda session: told(session, FailedTasks(Profile(name="default"), NOW))]
)
def test_what_becomes_of_a_task_leaves_the_runs_of_other_tasks_and_profiles_as_they_are(
    session: Session, store: Connection, becomes: Callable[[Session], object]
) -> None:
    """One run has a task for each profile."""
    begin(session)
    begin(session, "ropo_maintenance erase_texts", until=NOW + MINUTE)
    with session.transaction() as cursor:
        note_begin(cursor, "other", PAGES, "run 1", until=NOW)

    becomes(session)

    assert query(store, "SELECT profile, task FROM ropo.task_under_way ORDER BY profile") == [
        ("default", "ropo_maintenance erase_texts"),
        ("other", PAGES),
    ]
