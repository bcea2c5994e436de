"""A replay takes what the parser of the day could not, and nothing newer is overwritten by it."""

from __future__ import annotations

import datetime
import json
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from include.config.profiles import Profile
from include.status_store import page_events, replay
from include.status_store.attention import dismiss_row
from include.status_store.database import connect
from include.status_store.envelope import split_rows
from include.status_store.event_writing import store_events
from include.status_store.journal import Journal
from include.status_store.page_events import Parsed, parse_page, store_page
from include.status_store.replay import ReplaySummary
from include.status_store.reread import Reread
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError
from local_airflow.waiting import until
from tests.include.status_store.parser_of_then import parser_of_then
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import column, drain, events, execute, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.status_store.event import Stored
    from include.status_store.source import Answer

DAY = datetime.date(2026, 11, 13)  # of the scripted rows


def fail(*_: object) -> None:
    raise KeyError("Matti Meikalainen")


def drain_unparsed(monkeypatch: pytest.MonkeyPatch, session: Session, profile: Profile, *answers: Answer) -> None:
    with monkeypatch.context() as fault:
        fault.setattr(page_events, "parse_rows", fail)
        drain(session, profile, ScriptedSource(*answers))


def test_pages_are_taken_in_the_order_in_which_they_came(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain_unparsed(monkeypatch, session, profile, page(row(1, amount="1.00")), page(row(1, amount="2.00"), row(2)))

    assert replay.replay(session, profile) == ReplaySummary(pages=2, new=2)

    assert column(store, "SELECT amount::text FROM ropo.status_event WHERE statusid = 'P1'") == ["2.00"]
    assert column(
        store, "SELECT count(*) FROM ropo.status_page WHERE parsed_at IS NULL OR parse_error IS NOT NULL"
    ) == [0]
    assert query(store, "SELECT new_count, revised_count FROM ropo.status_poll WHERE outcome = 'landed'") == [
        (1, 0),
        (1, 1),
    ]


def test_what_came_later_and_is_held_already_stays(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain_unparsed(monkeypatch, session, profile, page(row(1, amount="1.00")))
    # No drain: it would take the page up itself.
    Reread(session, ScriptedSource(page(row(1, amount="2.00"))), Journal(profile)).by_date(DAY)

    assert replay.replay(session, profile).pages == 1

    assert column(store, "SELECT amount::text FROM ropo.status_event") == ["2.00"]
    assert column(store, "SELECT raw ->> 'amount' FROM ropo.status_event_revision") == ["1.00"]


def test_a_second_replay_finds_nothing(session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    drain_unparsed(monkeypatch, session, profile, page(row(1)))
    replay.replay(session, profile)

    assert replay.replay(session, profile) == ReplaySummary()


def test_a_page_that_still_cannot_be_taken_waits_on(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    drain_unparsed(monkeypatch, session, profile, page(row(1)), page(row(2)))

    with monkeypatch.context() as fault:
        fault.setattr(page_events, "parse_rows", fail)
        assert replay.replay(session, profile).pages_left == 2

    assert "Meikalainen" not in caplog.text
    assert column(store, "SELECT parse_error FROM ropo.status_page") == ["KeyError"] * 2
    assert replay.replay(session, profile).pages == 2


def test_a_row_in_quarantine_is_taken_once_the_parser_can(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="a lot"), row(2))))
    better = json.dumps(row(1)).encode()
    execute(store, "UPDATE ropo.status_quarantine SET raw = %s", (better,))

    assert replay.replay(session, profile) == ReplaySummary(rows=1, new=1)

    assert events(store) == ["P1", "P2"]
    assert query(store, "SELECT resolution FROM ropo.status_quarantine WHERE resolved_at IS NOT NULL") == [
        ("taken as an event by a replay",)
    ]


def test_equal_rows_of_one_answer_without_a_statusid_are_as_many_events(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = row(1, statusid=None)
    answer = page(bare, row(2), bare)
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(answer))
        Reread(session, ScriptedSource(answer), Journal(profile)).by_date(DAY)

    assert replay.replay(session, profile) == ReplaySummary(rows=2, new=3)

    again = Reread(session, ScriptedSource(answer), Journal(profile)).by_date(DAY)
    assert (again.new, again.revised, again.absent) == (0, 0, 0)
    assert len(events(store)) == 3


def test_a_row_without_a_statusid_that_two_answers_showed_is_one_event(
    session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = page(row(1, statusid=None))
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(bare, bare))

    assert replay.replay(session, profile) == ReplaySummary(rows=1, new=1)


def test_equal_rows_with_a_statusid_are_one_event_and_one_revision(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(page(row(1), row(1))))
    drain(session, profile, ScriptedSource(page(row(1, amount="2.00"))))

    assert replay.replay(session, profile) == ReplaySummary(rows=1)

    assert column(store, "SELECT amount::text FROM ropo.status_event") == ["2.00"]
    assert column(store, "SELECT raw ->> 'amount' FROM ropo.status_event_revision") == ["96.72"]


@pytest.mark.parametrize("is_parsed_late", [False, True])
def test_a_revision_has_the_names_and_the_time_of_what_it_said(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch, is_parsed_late: bool
) -> None:
    """In whichever order the two contents are parsed."""
    moved = row(1, jobid="J2", billnum="2", statustime="2026-11-20 08:00:00")
    with parser_of_then(monkeypatch) if is_parsed_late else nullcontext():
        drain(session, profile, ScriptedSource(page(row(1, jobid=" J1 ", billnum=""))))
    drain(session, profile, ScriptedSource(page(moved)))
    replay.replay(session, profile)

    said = "jobid, billnum, statustime::text"
    assert query(store, f"SELECT {said} FROM ropo.status_event") == [("J2", "2", "2026-11-20 08:00:00")]
    assert query(store, f"SELECT {said} FROM ropo.status_event_revision") == [("J1", None, "2026-11-13 00:00:00")]


def test_rows_that_still_cannot_be_taken_wait_on(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="a lot"), row(2), row(3))))
    execute(store, "ALTER TABLE ropo.status_event ADD CONSTRAINT none CHECK (statusid <> 'P4')")
    refused = json.dumps(row(4)).encode()
    execute(
        store,
        "INSERT INTO ropo.status_quarantine "
        "(profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at) "
        "VALUES ('default', 1, 3, %s, sha256(%s), 'PostgreSQL refuses it', now(), now())",
        (refused, refused),
    )

    assert replay.replay(session, profile) == ReplaySummary(rows_left=2)

    assert query(store, "SELECT times_seen, resolved_at FROM ropo.status_quarantine") == [(1, None)] * 2


def test_a_replay_whose_time_is_over_says_what_is_untried_and_goes_on_there(
    session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One page or row each time, since no time is given; what fails is not tried again before the rest is."""
    drain(session, profile, ScriptedSource(page(row(3, amount="a lot"), row(4, amount="more"))))
    drain_unparsed(monkeypatch, session, profile, page(row(1)), page(row(2)))
    done = []
    at = {"after_page": 0, "after_row": 0}
    for _ in range(4):
        summary = replay.replay(session, profile, max_seconds=0, **at)
        done.append((summary.pages, summary.rows_left, summary.untried))
        at = {"after_page": summary.after_page, "after_row": summary.after_row}

    assert done == [(1, 0, 3), (1, 0, 2), (0, 1, 1), (0, 1, 0)]
    assert at == {"after_page": 0, "after_row": 0}, "the next one begins anew"


def test_many_rows_are_read_a_few_at_a_time(
    session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(session, profile, ScriptedSource(page(*(row(number, amount="a lot") for number in range(1, 6)))))
    monkeypatch.setattr(replay, "_ROWS_A_READING", 2)

    assert replay.replay(session, profile) == ReplaySummary(rows_left=5)


def test_a_dismissed_row_stays_dismissed(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="a lot"))))
    with session.transaction() as cursor:
        dismiss_row(cursor, 1, by="Anna", note="a test row of Ropo's")
    drain(session, profile, ScriptedSource(page(row(1, amount="a lot"))))

    assert replay.replay(session, profile) == ReplaySummary()
    assert query(store, "SELECT times_seen, resolution FROM ropo.status_quarantine") == [
        (2, "dismissed by Anna: a test row of Ropo's")
    ]


def test_a_row_that_is_dismissed_while_a_replay_takes_it_is_on_record_as_dismissed(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's name and note stay."""
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(page(row(1))))

    def dismissed_first(*args: Any, **named: Any) -> Stored:
        with Session(lambda: connect(store_dsn)) as other, other.transaction() as cursor:
            dismiss_row(cursor, 1, by="Anna", note="a test row of Ropo's")
        return store_events(*args, **named)

    monkeypatch.setattr(replay, "store_events", dismissed_first)

    assert replay.replay(session, profile).rows == 1

    assert column(store, "SELECT resolution FROM ropo.status_quarantine") == ["dismissed by Anna: a test row of Ropo's"]


def test_another_profiles_pages_and_rows_are_left_alone(
    session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="a lot"))))
    drain_unparsed(monkeypatch, session, profile, page(row(1)))

    assert replay.replay(session, Profile(name="other")) == ReplaySummary()
    assert replay.replay(session, profile) == ReplaySummary(pages=1, rows_left=1, new=1)


def test_what_came_of_a_broken_answer_is_never_replayed(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("cut", body=b'{"result": {"status": []}}')))

    assert replay.replay(session, profile) == ReplaySummary()


def test_a_replay_beside_a_drain_that_stores_the_same_page_does_not_deadlock(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = page(row(1), row(2))
    drain_unparsed(monkeypatch, session, profile, answer)
    parsed = parse_page(split_rows(answer.body), profile, poll_id=1, kind="drain")
    assert isinstance(parsed, Parsed)

    def beside() -> None:
        with Session(lambda: connect(store_dsn)) as other:
            replay.replay(other, profile)

    with session.transaction() as cursor:
        # The drain has stored the events, and not yet come to the page's mark.
        store_events(cursor, parsed.batches, [], profile=profile, poll_id=1, kind="drain")
        with meanwhile(beside):
            until(lambda: waiting_for_a_lock(store))
            store_page(cursor, profile, parsed, poll_id=1, kind="drain", body=answer.body)
            cursor.connection.commit()

    assert events(store) == ["P1", "P2"]
    assert column(store, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [0]
