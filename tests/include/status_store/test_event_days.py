"""Every event is found by its day and by when it was stored, once, whatever way it came in."""

from __future__ import annotations

import datetime
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from include.reconciliation.statements import statement
from include.status_store import event_writing
from include.status_store.batches import MOST_EVENTS
from include.status_store.drain import A_THREAD
from include.status_store.journal import Journal
from include.status_store.replay import replay
from include.status_store.reread import Reread
from include.status_store.storing import Storing
from tests.include.status_store.parser_of_then import parser_of_then
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import column, drain, events, execute, land_alone, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.batches import Batch
    from include.status_store.session import Session
    from include.status_store.source import Answer

EVERY = "SELECT statusid, statustime::date, first_seen_at FROM ropo.status_event ORDER BY statusid"
FOUND = "SELECT statusid, day, seen_at FROM ropo.event_by_day WHERE profile = %s ORDER BY statusid"
NEWEST = "SELECT ropo.newest_statustime(%s, %s)::text"


def found(store: Connection, profile: Profile) -> list[str]:
    """The statusids of all events, each of which must be found by its day, and once."""
    assert query(store, FOUND, (profile.name,)) == query(store, EVERY)
    return [str(statusid) for statusid in events(store)]


def on(number: int, day: int, **changes: object) -> dict[str, object]:
    return row(number, statustime=f"2026-11-{day:02} 12:00:00", **changes)


def days(store: Connection) -> list[object]:
    return column(store, "SELECT DISTINCT to_char(day, 'DD') FROM ropo.event_day ORDER BY 1")


def test_a_page_of_new_events_has_a_row_for_each_of_its_days(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(on(1, 13), on(2, 13), on(3, 14)), page(on(4, 13))))

    assert found(store, profile) == ["P1", "P2", "P3", "P4"]
    assert column(store, "SELECT count(*) FROM ropo.event_day GROUP BY seen_at ORDER BY 1") == [1, 2]


@pytest.mark.parametrize("beside", [on(1, 12), "bad"], ids=["an event that is held", "a row that is none"])
def test_so_has_one_with_something_else_in_it(
    session: Session, store: Connection, profile: Profile, beside: object
) -> None:
    drain(session, profile, ScriptedSource(page(on(1, 12))))
    drain(session, profile, ScriptedSource(page(beside, on(2, 13), on(3, 14))))

    assert found(store, profile) == ["P1", "P2", "P3"]
    assert days(store) == ["12", "13", "14"]


def test_so_has_one_whose_process_ended_before_its_events_were_stored(
    session: Session, store: Connection, profile: Profile
) -> None:
    land_alone(session, profile, page(on(1, 13), on(2, 14)))
    drain(session, profile, ScriptedSource())

    assert found(store, profile) == ["P1", "P2"]


def test_so_has_an_answer_to_a_re_read(session: Session, store: Connection, profile: Profile) -> None:
    source = ScriptedSource(page(on(1, 13), on(2, 13, billnum="x" * 150)))
    Reread(session, source, Journal(profile)).by_date(datetime.date(2026, 11, 13))

    assert found(store, profile) == ["P1", "P2"]


def test_so_have_rows_that_waited_in_quarantine(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(page(on(1, 13), on(2, 14))))
    assert events(store) == []

    replay(session, profile)

    assert found(store, profile) == ["P1", "P2"]


def test_other_content_moves_an_event_to_another_day_and_back(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(on(1, 13), on(2, 13))))
    for day in (15, 13, 15):
        drain(session, profile, ScriptedSource(page(on(1, day))))
        assert found(store, profile) == ["P1", "P2"]
    assert days(store) == ["13", "15"]


def test_content_of_an_earlier_poll_moves_none(session: Session, store: Connection, profile: Profile) -> None:
    left = land_alone(session, profile, page(on(1, 13)))
    source = ScriptedSource(page(on(1, 15)))
    Reread(session, source, Journal(profile)).by_date(datetime.date(2026, 11, 15))

    with session.another() as beside, Storing(beside, profile, A_THREAD) as storing:
        storing.take_up()

    assert found(store, profile) == ["P1"]
    assert column(store, "SELECT content_poll_id > %s FROM ropo.status_event", (left.poll_id,)) == [True]


def test_two_re_reads_that_move_events_of_one_moment_do_not_wait_for_each_other_in_a_ring(
    session: Session,
    store: Connection,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def moved(letter: str, *days_of_batches: int) -> Answer:
        numbered = enumerate(day for day in days_of_batches for _ in range(MOST_EVENTS))
        return page(*(on(number, day, statusid=f"{letter}{number:04}") for number, day in numbered))

    drain(session, profile, ScriptedSource(moved("A", 10, 10)))
    drain(session, profile, ScriptedSource(moved("B", 10, 10)))
    one_moment = "UPDATE {} SET {} = (SELECT min(seen_at) FROM ropo.event_day)"
    execute(store, one_moment.format("ropo.status_event", "first_seen_at"))
    execute(store, "DELETE FROM ropo.event_day WHERE seen_at > (SELECT min(seen_at) FROM ropo.event_day)")
    both, revise = threading.Barrier(2), event_writing._Storing._revise
    met: set[int] = set()

    def first_batches_together(self: event_writing._Storing, batch: Batch) -> int:
        revised = revise(self, batch)
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            both.wait(30)
        return revised

    monkeypatch.setattr(event_writing._Storing, "_revise", first_batches_together)

    def re_read(answer: Answer) -> int:
        with session.another() as beside:
            by_date = Reread(beside, ScriptedSource(answer), Journal(profile)).by_date
            return by_date(datetime.date(2026, 11, 10)).revised

    with ThreadPoolExecutor(max_workers=2) as helpers:
        revised = [*helpers.map(re_read, (moved("A", 11, 12), moved("B", 12, 11)))]

    assert revised == [2 * MOST_EVENTS] * 2
    assert not [line for line in caplog.messages if "Deadlock" in line]
    assert len(found(store, profile)) == 4 * MOST_EVENTS


STORED_BY_AN_EARLIER_VERSION = """
DELETE FROM ropo.event_day WHERE seen_at = (SELECT min(seen_at) FROM ropo.event_day)
"""


def test_a_drain_notes_the_days_of_what_an_earlier_version_has_stored_since_the_migration(
    session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    drain(session, profile, ScriptedSource(page(on(1, 13), on(2, 14)), page(on(3, 15))))
    execute(store, STORED_BY_AN_EARLIER_VERSION)

    drain(session, profile, ScriptedSource())

    assert found(store, profile) == ["P1", "P2", "P3"]
    told = [line for line in caplog.messages if "on no day" in line]
    assert [line.startswith("Profile default: ") for line in told] == [True]
    assert told[0].endswith("run these dates again: 2026-11-13, 2026-11-14")
    caplog.clear()
    drain(session, profile, ScriptedSource())
    assert not [line for line in caplog.messages if "on no day" in line]


def test_a_day_after_the_migration_it_looks_for_none(
    session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    drain(session, profile, ScriptedSource(page(on(1, 13))))
    execute(store, STORED_BY_AN_EARLIER_VERSION)
    execute(
        store,
        "CREATE OR REPLACE FUNCTION ropo.days_noted_since() RETURNS timestamptz LANGUAGE sql "
        "RETURN now() - interval '25 hours'",
    )

    drain(session, profile, ScriptedSource())

    assert not [line for line in caplog.messages if "on no day" in line]
    assert days(store) == []


def test_without_statistics_they_are_found_through_the_index(
    session: Session, store: Connection, profile: Profile
) -> None:
    pages = (page(*(on(1000 * number + each, 1 + each % 28) for each in range(1000))) for number in range(5))
    drain(session, profile, ScriptedSource(*pages))
    assert column(store, "SELECT count(*) FROM pg_stats WHERE schemaname = 'ropo' AND tablename = 'event_day'") == [0]

    explained = f"EXPLAIN {statement('known_invoices')}"
    plan = "\n".join(map(str, column(store, explained, {"profile": profile.name, "sample": 10})))

    assert "using status_event_by_seen" in plan
    assert "Seq Scan on status_event" not in plan


@pytest.mark.parametrize("seed", range(5))
def test_so_it_is_after_any_walk(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    drawn = random.Random(seed)
    said: set[str] = set()

    def answer() -> Answer:
        numbers = drawn.sample(range(12), drawn.randrange(1, 5))
        said.update(f"P{number}" for number in numbers)
        return page(*(on(number, drawn.randrange(10, 14)) for number in numbers))

    for _ in range(15):
        match drawn.randrange(4):
            case 0:
                drain(session, profile, ScriptedSource(answer(), answer()))
            case 1:
                land_alone(session, profile, answer())
            case 2:
                by_date = Reread(session, ScriptedSource(answer()), Journal(profile)).by_date
                by_date(datetime.date(2026, 11, drawn.randrange(10, 14)))
            case _:
                with parser_of_then(monkeypatch):
                    drain(session, profile, ScriptedSource(answer()))
                replay(session, profile)
    drain(session, profile, ScriptedSource())
    replay(session, profile)

    assert set(found(store, profile)) == said


@pytest.mark.parametrize(
    ("until", "newest"),
    [
        ("2026-11-20 00:00:00", "2026-11-14 12:00:00"),
        ("2026-11-14 12:00:00", "2026-11-14 12:00:00"),
        ("2026-11-14 11:59:59", "2026-11-13 18:00:00"),
        ("2026-11-13 13:00:00", "2026-11-13 12:00:00"),
        ("2026-11-12 23:59:59", None),
    ],
)
def test_the_newest_time_is_the_last_one_that_does_not_lie_ahead(
    session: Session, store: Connection, profile: Profile, until: str, newest: str | None
) -> None:
    late = row(3, statustime="2026-11-13 18:00:00")
    drain(session, profile, ScriptedSource(page(on(1, 13), on(2, 14)), page(late)))

    assert column(store, NEWEST, (profile.name, until)) == [newest]


def test_the_newest_time_is_not_that_of_a_day_which_its_event_has_left(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(on(1, 14)), page(on(2, 12))))
    drain(session, profile, ScriptedSource(page(on(1, 13))))

    assert column(store, NEWEST, (profile.name, "2026-11-20")) == ["2026-11-13 12:00:00"]
    assert column(store, NEWEST, ("another", "2026-11-20")) == [None]
