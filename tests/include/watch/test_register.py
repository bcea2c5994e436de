"""An alert is told once, again as a reminder, and anew when it comes back or says something else."""

from __future__ import annotations

import datetime
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Protocol

import msgspec
import pytest

from include.status_store.database import connect
from include.status_store.session import Session
from include.watch.alert import Matter
from include.watch.register import Register
from include.watch.topics import tell
from tests.include.status_store.views import column
from tests.include.watch.records import BASE_URL, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.watch.alert import Alert

NOW = datetime.datetime(2026, 11, 2, 9, tzinfo=datetime.UTC)
QUARTER = datetime.timedelta(minutes=15)


class Scripted:
    """A topic that finds what the test says."""

    name = "scripted"
    plural = "things"

    def __init__(self, profile: Profile, now: datetime.datetime, found: Mapping[str, str], *, everything: bool = True):
        self.profile = profile
        self.now = now
        self.is_everything = everything
        self._found = found

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        return self._found

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:
        return [Matter(title=f"{subject} {self._found[subject]}") for subject in subjects]


class Titles(Protocol):
    """What a look tells, so many minutes after the first."""

    def __call__(self, minutes: float, found: Mapping[str, str], *, everything: bool = True) -> list[str]: ...


@pytest.fixture
def titles(session: Session, profile: Profile) -> Titles:
    def look(minutes: float, found: Mapping[str, str], *, everything: bool = True) -> list[str]:
        now = NOW + datetime.timedelta(minutes=minutes)
        sent = told(session, Scripted(profile, now, found, everything=everything))
        return [alert.subject.removeprefix("[Ropo One] default: ") for alert in sent]

    return look


def test_it_is_told_once_and_not_every_quarter_of_an_hour(titles: Titles) -> None:
    assert titles(0, {"a": "1"}) == ["a 1"]
    assert [titles(15 * look, {"a": "1"}) for look in range(1, 5)] == [[]] * 4


def test_it_is_told_again_after_the_time_of_the_reminder(titles: Titles) -> None:
    titles(0, {"a": "1"})
    assert titles(24 * 60 - 15, {"a": "1"}) == []
    assert titles(24 * 60, {"a": "1"}) == ["a 1"]
    assert titles(24 * 60 + 15, {"a": "1"}) == []


def test_how_often_it_was_told_since_it_holds_is_on_record(titles: Titles, store: Connection) -> None:
    for day in range(3):
        titles(day * 24 * 60, {"a": "1"})
    assert column(store, "SELECT times_told FROM ropo.alert") == [3]
    titles(3 * 24 * 60, {})
    titles(4 * 24 * 60, {"a": "1"})
    assert column(store, "SELECT times_told FROM ropo.alert") == [1]


def test_reminders_do_not_creep_through_the_day_where_a_look_begins_a_little_earlier_than_the_days_before(
    titles: Titles,
) -> None:
    looks = [(day * 24 * 60 + 15 * look, 0.5 * (day % 2 == 0)) for day in range(4) for look in range(-1, 2)]
    told_at = [minutes for minutes, late in looks if titles(minutes + late, {"a": "1"})]
    assert told_at == [day * 24 * 60 - 15 for day in range(4)]


def test_reminders_of_what_was_found_at_several_hours_become_one_message_a_day(titles: Titles) -> None:
    found: dict[str, str] = {}
    messages: dict[int, list[str]] = {}
    for hour in range(5 * 24):
        # A new one in each of three nights, each an hour later, and one by day.
        for name, begins in (("a", 0), ("b", 25), ("c", 50), ("d", 57)):
            if hour == begins:
                found[name] = "1"
        messages.setdefault(hour // 24, []).extend(titles(hour * 60, found))
    assert messages == {0: ["a 1"], 1: ["a 1", "b 1"], 2: ["2 things", "c 1", "d 1"], 3: ["4 things"], 4: ["4 things"]}


def test_a_profile_may_want_no_reminder(session: Session, profile: Profile) -> None:
    alerts = msgspec.structs.replace(profile.alerts, remind_hours=0)
    profile = msgspec.structs.replace(profile, alerts=alerts)
    assert told(session, Scripted(profile, NOW, {"a": "1"}))
    assert not told(session, Scripted(profile, NOW + datetime.timedelta(days=400), {"a": "1"}))


@pytest.mark.parametrize(
    ("remind_hours", "minutes_later", "message"),
    [
        (24, 12 * 60, "2 things"),
        (24, 12 * 60 + 1, "a 1"),
        (168, 12 * 60, "2 things"),
        (168, 12 * 60 + 1, "a 1"),
        (1, 30, "2 things"),
        (1, 31, "a 1"),
    ],
)
def test_a_reminder_takes_along_those_of_the_next_half_day_or_of_half_its_time_where_that_is_less(
    session: Session, profile: Profile, remind_hours: int, minutes_later: float, message: str
) -> None:
    alerts = msgspec.structs.replace(profile.alerts, remind_hours=remind_hours)
    profile = msgspec.structs.replace(profile, alerts=alerts)

    def look(minutes: float, *subjects: str) -> str:
        found = dict.fromkeys(subjects, "1")
        (alert,) = told(session, Scripted(profile, NOW + datetime.timedelta(minutes=minutes), found))
        return alert.subject.removeprefix("[Ropo One] default: ")

    assert look(0, "a") == "a 1"
    assert look(minutes_later, "a", "b") == "b 1"
    assert look(remind_hours * 60, "a", "b") == message


def test_what_is_new_is_told_in_full_and_takes_no_reminder_along(titles: Titles) -> None:
    titles(0, {"a": "1"})
    assert titles(23 * 60, {"a": "1", "b": "1"}) == ["b 1"]


def test_what_says_something_else_is_told_at_once(titles: Titles) -> None:
    titles(0, {"a": "1"})
    assert titles(15, {"a": "2"}) == ["a 2"]
    assert titles(30, {"a": "2"}) == []


def test_what_ended_and_came_back_is_told_anew(titles: Titles) -> None:
    titles(0, {"a": "1"})
    assert titles(15, {}) == []
    assert titles(30, {"a": "1"}) == ["a 1"]


def test_what_is_over_keeps_the_moment_at_which_it_ended(titles: Titles, session: Session, store: Connection) -> None:
    titles(0, {"a": "1"})
    for minutes in (15, 30):
        assert titles(minutes, {}) == []
    with session.transaction() as cursor:
        Register(cursor, "default", "scripted", now=NOW + 4 * QUARTER, remind=QUARTER).end("a")

    assert column(store, "SELECT ended_at FROM ropo.alert") == [NOW + QUARTER]


def test_a_look_at_one_subject_ends_no_other(titles: Titles) -> None:
    titles(0, {"a": "1", "b": "1"})
    titles(15, {"b": "2"}, everything=False)
    assert titles(30, {"a": "1", "b": "2"}) == []


@pytest.mark.parametrize(("of_profile", "of_topic"), [("default", "other"), ("other", "scripted")])
def test_what_becomes_of_a_subject_says_nothing_of_one_of_the_same_name(
    session: Session, of_profile: str, of_topic: str
) -> None:
    """Of another topic, as many have one subject without a name, or of another profile."""
    with session.transaction() as cursor:
        own, other = (
            Register(cursor, profile, topic, now=NOW, remind=datetime.timedelta(days=1))
            for profile, topic in (("default", "scripted"), (of_profile, of_topic))
        )
        assert own.due({"a": "1"}) == other.due({"a": "1"}) == ["a"]
        own.told(["a"])
        assert (own.due({"a": "1"}), other.due({"a": "1"})) == ([], ["a"])
        own.end("a")
        assert ([*own.held()], [*other.held()]) == ([], ["a"])
        own.due({"a": "1"})
        own.end_others([])
        assert ([*own.held()], [*other.held()]) == ([], ["a"])


def test_only_what_is_new_is_told(titles: Titles) -> None:
    titles(0, {"a": "1"})
    assert titles(15, {"a": "1", "b": "1"}) == ["b 1"]


def test_what_could_not_be_sent_is_told_by_the_next_look(session: Session, store: Connection, profile: Profile) -> None:
    def fail(alert: Alert) -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        tell(session, Scripted(profile, NOW, {"a": "1"}), fail, base_url=BASE_URL)

    assert len(told(session, Scripted(profile, NOW + QUARTER, {"a": "1"}))) == 1


def test_two_tasks_that_find_the_same_thing_at_once_tell_it_once(store_dsn: str, profile: Profile) -> None:
    sending, go_on = Event(), Event()
    sent: list[Alert] = []

    def slow(alert: Alert) -> None:
        sending.set()
        go_on.wait(30)
        sent.append(alert)

    def run(send: Callable[[Alert], None]) -> None:
        with Session(lambda: connect(store_dsn), patience=30) as session:
            tell(session, Scripted(profile, NOW, {"a": "1", "b": "1"}), send, base_url=BASE_URL)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, slow)
        assert sending.wait(30)
        second = pool.submit(run, sent.append)
        go_on.set()
        first.result(30)
        second.result(30)

    assert len(sent) == 1
