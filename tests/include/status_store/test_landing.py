"""A page in hand survives whatever becomes of the store's connection, and lands exactly once."""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest

from faults.lossy_proxy import LossyProxy
from include.status_store import landing, page_events
from include.status_store.database import connect
from include.status_store.envelope import split_rows
from include.status_store.journal import Journal
from include.status_store.landing import Landed, Page, land, land_reread
from include.status_store.migrate import upgrade
from include.status_store.queue_lock import QueueLock
from include.status_store.replay import replay
from include.status_store.session import Session
from include.status_store.source import Answer, PollInDoubtError
from local_airflow.waiting import until
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import bodies, column, drain, events, execute, outcomes, query
from tests.include.status_store.waiting import meanwhile, others, terminate, waiting_for_a_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from local_airflow import embedded


# What a commit of a page waits for, in the commit itself.
GATE_BEFORE_COMMITS = """
CREATE TABLE ropo.gate ();
CREATE FUNCTION ropo.pass_gate() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN LOCK TABLE ropo.gate IN SHARE MODE; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON ropo.status_page DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ropo.pass_gate()
"""


@pytest.fixture
def postgres_of_latin1(postgres: embedded.Server) -> Iterator[str]:
    """A store that began in such a database before that was refused."""
    name = f"latin1_{secrets.token_hex(4)}"
    with closing(psycopg2.connect(postgres.dsn("postgres"))) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with closing(psycopg2.connect(postgres.dsn(name))) as begun, begun:
        execute(begun, "CREATE SCHEMA ropo; CREATE TABLE ropo.alembic_version (version_num text PRIMARY KEY)")
    upgrade(postgres.dsn(name))
    yield postgres.dsn(name)
    postgres.drop_database(name)


def test_the_answer_is_kept_byte_for_byte(session: Session, store: Connection, profile: Profile) -> None:
    answer = Answer(http_status=200, body=b' {"result":\t{"status":[]}}\n', content_type="text/odd")

    drain(session, profile, ScriptedSource(answer))

    assert bodies(store) == [answer.body]
    assert query(store, "SELECT content_type, encode(sha256, 'hex'), complete FROM ropo.status_page") == [
        ("text/odd", hashlib.sha256(answer.body).hexdigest(), True)
    ]


@pytest.mark.parametrize(("named", "kept"), [("text/odd\0", "text/odd?"), ("text/\udcff", "text/?"), (None, None)])
def test_a_page_lands_whatever_its_content_type_is(
    session: Session, store: Connection, profile: Profile, named: str | None, kept: str | None
) -> None:
    answer = msgspec.structs.replace(page(row(1)), content_type=named)

    assert drain(session, profile, ScriptedSource(answer)).stopped_by == "empty"

    assert (outcomes(store), events(store)) == (["landed", "empty"], ["P1"])
    assert column(store, "SELECT content_type FROM ropo.status_page") == [kept]


def test_a_connection_lost_during_the_poll_lands_the_page_and_ends_the_drain(
    session: Session, store: Connection, profile: Profile
) -> None:
    def lose() -> Answer:
        terminate(store, others(store))
        return page(row(1))

    source = ScriptedSource(lose, page(row(2)))
    summary = drain(session, profile, source)

    assert (outcomes(store), summary.stopped_by) == (["landed"], "lock_lost")
    assert (events(store), len(source.polls)) == (["P1"], 1)


def test_a_connection_lost_before_a_204_leaves_no_doubt(session: Session, store: Connection, profile: Profile) -> None:
    def lose() -> Answer:
        terminate(store, others(store))
        return EMPTY

    assert drain(session, profile, ScriptedSource(lose)).stopped_by == "empty"
    assert outcomes(store) == ["empty"]


def test_a_connection_lost_in_the_middle_of_the_commit_lands_the_page(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    with closing(connect(store_dsn)) as blocking:
        with blocking.cursor() as cursor:
            cursor.execute("LOCK TABLE ropo.status_page IN SHARE MODE")

        def lose_it_while_it_waits() -> None:
            terminate(store, until(lambda: waiting_for_a_lock(store)))
            blocking.rollback()

        with meanwhile(lose_it_while_it_waits):
            summary = drain(session, profile, ScriptedSource(page(row(1), row(2)), page(row(3))))

    assert (summary.stopped_by, summary.new) == ("lock_lost", 2)
    assert (outcomes(store), events(store)) == (["landed"], ["P1", "P2"])


@pytest.fixture
def proxy(store_dsn: str) -> Iterator[LossyProxy]:
    with LossyProxy(store_dsn) as proxy:
        yield proxy


def test_a_commit_that_took_effect_and_whose_answer_was_lost_is_not_repeated(
    proxy: LossyProxy, store: Connection, profile: Profile
) -> None:
    def answer() -> Answer:
        proxy.lose_next_commit()
        return page(row(1), row(2, amount="a lot"))

    source = ScriptedSource(answer, page(row(3)))
    with Session(lambda: connect(proxy.dsn), patience=30) as session:
        summary = drain(session, profile, source)

    assert proxy.lost == 1
    assert (summary.stopped_by, summary.pages, summary.new, summary.quarantined) == ("lock_lost", 1, 1, 1)
    # The next poll's row was in that commit: its request never left.
    assert outcomes(store) == ["landed", "unsent"]
    assert query(store, "SELECT times_seen FROM ropo.status_quarantine") == [(1,)]
    assert len(source.polls) == 1


def test_a_doubt_whose_commit_took_effect_and_whose_answer_was_lost_keeps_what_came_of_it(
    proxy: LossyProxy, store: Connection, profile: Profile
) -> None:
    def broken() -> Answer:
        proxy.lose_next_commit()
        raise PollInDoubtError("cut", http_status=200, body=b'{"result"')

    with Session(lambda: connect(proxy.dsn), patience=30) as session:
        summary = drain(session, profile, ScriptedSource(broken))

    assert (proxy.lost, summary.stopped_by) == (1, "in_doubt")
    assert (outcomes(store), bodies(store)) == (["in_doubt"], [b'{"result"'])


def test_a_commit_that_is_still_under_way_where_its_connection_is_lost_is_waited_for(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    execute(store, GATE_BEFORE_COMMITS)
    with closing(connect(store_dsn)) as blocking:
        with blocking.cursor() as cursor:
            cursor.execute("LOCK TABLE ropo.gate")

        def lose_it_in_mid_commit() -> None:
            until(lambda: waiting_for_a_lock(store))
            with socket.socket(fileno=os.dup(session.connection.fileno())) as lost:
                lost.shutdown(socket.SHUT_RDWR)
            until(lambda: len(waiting_for_a_lock(store)) > 1)
            blocking.rollback()

        with meanwhile(lose_it_in_mid_commit):
            summary = drain(session, profile, ScriptedSource(page(row(1)), page(row(2))))

    assert (summary.stopped_by, summary.new) == ("lock_lost", 1)
    assert (outcomes(store), events(store)) == (["landed", "unsent"], ["P1"])


def test_a_lost_answer_to_any_other_commit_is_survived_too(
    proxy: LossyProxy, store: Connection, profile: Profile
) -> None:
    def no_more() -> Answer:
        proxy.lose_next_commit()
        return EMPTY

    with Session(lambda: connect(proxy.dsn), patience=30) as session:
        summary = drain(session, profile, ScriptedSource(page(row(1)), no_more))

    assert (proxy.lost, summary.stopped_by, outcomes(store)) == (1, "empty", ["landed", "empty"])


def test_a_deadlock_costs_no_page_and_not_the_lock(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1), row(2))))
    with closing(connect(store_dsn)) as other:
        with other.cursor() as cursor:
            cursor.execute(
                "SET deadlock_timeout = '10min'; SELECT FROM ropo.status_event WHERE statusid = 'P2' FOR UPDATE"
            )

        def close_the_circle() -> None:
            until(lambda: waiting_for_a_lock(store))
            with other.cursor() as cursor:
                cursor.execute("SELECT FROM ropo.status_event WHERE statusid = 'P1' FOR UPDATE")
            other.rollback()

        with meanwhile(close_the_circle):
            changed = page(row(1, amount="1.00"), row(2, amount="2.00"))
            summary = drain(session, profile, ScriptedSource(changed, page(row(3))))

    assert (summary.stopped_by, summary.revised, summary.new) == ("empty", 2, 1)
    assert column(store, "SELECT deadlocks > 0 FROM pg_stat_database WHERE datname = current_database()") == [True]


def test_a_drain_and_a_reread_of_the_same_rows_do_not_deadlock(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    rng = random.Random(11)

    def shuffled(amount: str) -> Answer:
        rows = [row(number, amount=amount) for number in range(400)]
        rng.shuffle(rows)
        return page(*rows)

    answers = [[shuffled(f"{turn}.0{who}") for turn in range(5)] for who in range(2)]

    def reread() -> None:
        with Session(lambda: connect(store_dsn)) as other:
            for answer in answers[1]:
                with other.transaction() as cursor:
                    poll_id = Journal(profile).open(cursor, "date", "2026-11-13")
                again = Page(poll_id=poll_id, kind="date", answer=answer, rows=split_rows(answer.body))
                land_reread(other, Journal(profile), again)

    with meanwhile(reread):
        drain(session, profile, ScriptedSource(*answers[0]))

    assert len(events(store)) == 400
    assert column(store, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == [0]
    assert set(outcomes(store)) == {"landed", "empty"}


def break_parser(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def parse_rows(*_: object) -> None:
        raise error

    monkeypatch.setattr(page_events, "parse_rows", parse_rows)


def test_a_page_that_our_parser_breaks_on_lands_and_waits_for_a_replay(
    session: Session,
    store: Connection,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as fault:
        break_parser(fault, KeyError("Matti Meikalainen"))
        summary = drain(session, profile, ScriptedSource(page(row(1), row(2))))

    assert (outcomes(store), events(store), summary.new) == (["landed", "empty"], [], 0)
    assert query(store, "SELECT complete, parsed_at, parse_error FROM ropo.status_page") == [(True, None, "KeyError")]
    assert "Meikalainen" not in caplog.text

    assert replay(session, profile).new == 2
    assert events(store) == ["P1", "P2"]


@pytest.mark.parametrize("error", [ValueError("ours"), UnicodeError("ours"), TypeError("ours")])
def test_a_fault_while_events_are_stored_costs_no_page(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def store_events(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as fault:
        for name in ("store_new_events", "store_events"):
            fault.setattr(page_events, name, store_events)
        drain(session, profile, ScriptedSource(page(row(1))))

    assert outcomes(store) == ["landed", "empty"]
    assert query(store, "SELECT complete, parse_error FROM ropo.status_page") == [(True, type(error).__name__)]
    assert replay(session, profile).new == 1


def test_a_table_that_refuses_events_costs_no_page(
    session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    execute(store, "ALTER TABLE ropo.status_event ADD CONSTRAINT none CHECK (statusid <> 'P2')")

    summary = drain(session, profile, ScriptedSource(page(row(1), row(2), row(3))))

    assert (events(store), summary.quarantined) == (["P1", "P3"], 1)
    assert "Poll 1: its events are stored by another way (CheckViolation)" in caplog.text


def test_a_store_of_another_encoding_keeps_the_page_and_the_rows_that_it_can_hold(
    postgres_of_latin1: str, profile: Profile
) -> None:
    with Session(lambda: connect(postgres_of_latin1)) as session, closing(connect(postgres_of_latin1)) as store:
        store.autocommit = True
        summary = drain(session, profile, ScriptedSource(page(row(1, statustext="Päiväys"), row(2, statustext="€"))))

        assert (outcomes(store), summary.new, summary.quarantined) == (["landed", "empty"], 1, 1)
        assert column(store, "SELECT statustext FROM ropo.status_event") == ["Päiväys"]


def landed_late(session: Session, profile: Profile, poll_id: int) -> Landed:
    answer = page(row(1))
    rows = split_rows(answer.body)
    page_in_hand = Page(poll_id=poll_id, kind="drain", answer=answer, rows=rows)
    lock = QueueLock(session, ScriptedSource().queue)
    return land(session, Journal(profile), page_in_hand, lock, open_next=False)


def test_a_page_that_lands_after_another_drain_judged_its_poll_is_in_doubt_no_more(
    session: Session, store: Connection, profile: Profile
) -> None:
    with session.transaction() as cursor:
        poll_id = Journal(profile).open(cursor, "drain")
    drain(session, profile, ScriptedSource())
    assert outcomes(store) == ["in_doubt", "empty"]

    landed_late(session, profile, poll_id)

    assert outcomes(store) == ["landed", "empty"]
    assert query(store, "SELECT recovery, window_to, error FROM ropo.status_poll WHERE poll_id = 1") == [(None,) * 3]


def test_a_lock_that_was_lost_once_stays_lost_for_its_page(session: Session, store_dsn: str, profile: Profile) -> None:
    """A page lands without the lock, the commit's answer is lost, and the next backend holds the lock by chance."""
    lock = QueueLock(session, ScriptedSource().queue)
    lock.acquire()
    with session.transaction() as cursor:
        poll_id = Journal(profile).open(cursor, "drain")
    page_in_hand = Page(poll_id=poll_id, kind="drain", answer=page(row(1)), rows=[])
    attempt = landing._DrainAttempt(Journal(profile), page_in_hand, lock, open_next=True)
    with Session(lambda: connect(store_dsn)) as other, other.transaction() as cursor:
        assert attempt(cursor) == Landed(None, lock_lost=True)

    with session.transaction() as cursor:
        assert attempt(cursor) == Landed(None, lock_lost=True)


def test_nothing_of_a_row_is_logged(
    session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    secret = row(1, statusref="Meikalainen", statustext="Matti Meikalainen")
    cut = json.dumps({"result": {"status": secret}}).encode()[:-3]

    drain(session, profile, ScriptedSource(page(secret, {**secret, "amount": "Meikalainen"})))
    drain(session, profile, ScriptedSource(Answer(http_status=200, body=cut)))

    assert "Meikalainen" not in caplog.text
    assert not [text for text in column(store, "SELECT error FROM ropo.status_poll") if "Meikalainen" in str(text)]
