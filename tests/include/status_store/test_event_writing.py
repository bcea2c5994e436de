"""Events are kept once; other contents of one are kept as revisions; bad rows wait in quarantine."""

from __future__ import annotations

import json
import secrets
import traceback
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.config.profiles import Profile
from include.status_store.batches import Batches
from include.status_store.database import connect
from include.status_store.event_writing import store_events
from include.status_store.journal import Journal
from include.status_store.parsing import parse_rows
from include.status_store.session import Session
from local_airflow.waiting import until
from tests.include.status_store.scripted_source import DEEP, ScriptedSource, page, row, with_unknown
from tests.include.status_store.views import column, drain, events, execute, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.status_store.event import ParsedPage, Stored
    from include.status_store.journal import Kind
    from local_airflow.embedded import Server

HELD = "SELECT amount::text FROM ropo.status_event WHERE statusid = 'P1'"
REVISIONS = "SELECT revision, raw ->> 'amount' FROM ropo.status_event_revision WHERE statusid = 'P1' ORDER BY revision"


@pytest.fixture
def poll_id(session: Session, profile: Profile) -> int:
    """A poll that rows can be stored for."""
    with session.transaction() as cursor:
        return Journal(profile).open(cursor, "drain")


def parsed(profile: Profile, *rows: object) -> ParsedPage:
    return parse_rows([each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows], profile.zone)


def store_rows(cursor: Cursor, page: ParsedPage, *, profile: Profile, poll_id: int, kind: Kind) -> Stored:
    batches = Batches(page.events, profile=profile.name, kind=kind, poll_id=poll_id)
    return store_events(cursor, batches, page.rejected, profile=profile, poll_id=poll_id, kind=kind)


def store_page(session: Session, profile: Profile, poll_id: int, *rows: object) -> Stored:
    with session.transaction() as cursor:
        return store_rows(cursor, parsed(profile, *rows), profile=profile, poll_id=poll_id, kind="drain")


def test_an_event_seen_again_changes_nothing(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    everything = query(store, "SELECT * FROM ropo.status_event")

    summary = drain(session, profile, ScriptedSource(page(row(1, new_field=1))))

    assert (summary.new, summary.revised) == (0, 0)
    assert query(store, "SELECT * FROM ropo.status_event") == everything
    assert query(store, REVISIONS) == []


def test_other_content_counts_and_the_earlier_is_kept(session: Session, store: Connection, profile: Profile) -> None:
    summary = drain(session, profile, ScriptedSource(page(row(1), row(2)), page(row(1, amount="50.00"))))

    assert (summary.new, summary.revised) == (2, 1)
    assert column(store, HELD) == ["50.00"]
    assert query(store, REVISIONS) == [(1, "96.72")]
    assert column(store, "SELECT first_poll_id = content_poll_id FROM ropo.status_event ORDER BY statusid") == [
        False,
        True,
    ]


def test_content_that_comes_and_goes_is_kept_in_its_order(
    session: Session, store: Connection, profile: Profile
) -> None:
    amounts = ("1.00", "2.00", "1.00", "3.00", "1.00")

    summary = drain(session, profile, ScriptedSource(*(page(row(1, amount=amount)) for amount in amounts)))

    assert (summary.new, summary.revised) == (1, 4)
    assert column(store, HELD) == ["1.00"]
    assert query(store, REVISIONS) == [(1, "1.00"), (2, "2.00"), (3, "1.00"), (4, "3.00")]


def test_the_last_of_several_contents_in_one_answer_counts(
    session: Session, store: Connection, profile: Profile
) -> None:
    shown = page(row(1, amount="1.00"), row(2), row(1, amount="2.00"), row(1, amount="2.00"), row(1, amount="3.00"))

    summary = drain(session, profile, ScriptedSource(shown))

    assert (summary.new, summary.revised) == (2, 2)
    assert column(store, HELD) == ["3.00"]
    assert query(store, REVISIONS) == [(1, "1.00"), (2, "2.00")]


def test_an_answer_with_several_contents_of_an_event_changes_nothing_when_it_is_shown_again(
    session: Session, store: Connection, profile: Profile
) -> None:
    shown = page(row(1, amount="1.00"), row(1, amount="2.00"), row(1, amount="1.00"), row(1, amount="3.00"))
    drain(session, profile, ScriptedSource(shown))
    kept = query(store, REVISIONS)

    summary = drain(session, profile, ScriptedSource(shown))

    assert (summary.new, summary.revised) == (0, 0)
    assert (column(store, HELD), query(store, REVISIONS)) == (["3.00"], kept)
    # One that nobody has seen yet is kept, though another one follows it at once.
    further = page(row(1, amount="4.00"), row(1, amount="3.00"))
    assert drain(session, profile, ScriptedSource(further)).revised == 2
    assert query(store, REVISIONS) == [*kept, (3, "3.00"), (4, "4.00")]


def test_content_of_an_earlier_poll_does_not_win(session: Session, store: Connection, profile: Profile) -> None:
    with session.transaction() as cursor:
        earlier = Journal(profile).open(cursor, "date", "2026-11-13")
        later = Journal(profile).open(cursor, "date", "2026-11-13")
    store_page(session, profile, later, row(1, amount="2.00"))

    stored = store_page(session, profile, earlier, row(1, amount="1.00"))

    assert (stored.new, stored.revised) == (0, 1)
    assert column(store, HELD) == ["2.00"]
    assert query(store, REVISIONS) == [(1, "1.00")]


def test_one_statusid_in_two_profiles_is_two_events(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(page(row(1, amount="1.00"))))
    drain(session, Profile(name="other"), ScriptedSource(page(row(1, amount="2.00")), queue=("other", "2")))

    assert query(store, "SELECT profile, amount::text FROM ropo.status_event ORDER BY profile") == [
        ("default", "1.00"),
        ("other", "2.00"),
    ]


REFUSE_13 = "ALTER TABLE ropo.status_event ADD CONSTRAINT none CHECK (amount <> 13)"


def test_the_json_of_a_row_is_kept_as_it_came(
    session: Session, store: Connection, profile: Profile, poll_id: int
) -> None:
    odd = with_unknown(1, b'"unknown":  1e200000, "unknown": 1.50, "\\u00e4": "\\/"')

    assert store_page(session, profile, poll_id, odd).new == 1

    assert column(store, "SELECT raw::text FROM ropo.status_event") == [odd.decode()]


def test_a_row_that_postgresql_refuses_stands_alone(
    session: Session, store: Connection, profile: Profile, poll_id: int
) -> None:
    execute(store, REFUSE_13)
    good = [row(number) for number in range(1, 40)]

    stored = store_page(session, profile, poll_id, *good[:20], row(99, amount="13.00"), *good[20:])

    assert (stored.new, stored.quarantined) == (39, 1)
    assert len(events(store)) == 39
    (error,) = column(store, "SELECT error FROM ropo.status_quarantine WHERE ordinal = 20")
    assert str(error).startswith("row: PostgreSQL refuses it")


def test_a_refused_row_of_an_event_that_is_held_with_other_content_stands_alone_too(
    session: Session, store: Connection, profile: Profile, poll_id: int
) -> None:
    store_page(session, profile, poll_id, row(1), row(2))
    execute(store, REFUSE_13)

    stored = store_page(session, profile, poll_id, row(1, amount="13.00"), row(2, amount="2.00"), row(3))

    assert (stored.new, stored.revised, stored.quarantined) == (1, 1, 1)
    assert column(store, HELD) == ["96.72"]


def test_a_value_beyond_postgresqls_limits_is_refused_and_not_tried_for_ever(
    session: Session, store: Connection, profile: Profile, poll_id: int
) -> None:
    """SQLSTATE class 54 is an OperationalError to psycopg2, like a lost connection."""
    with session.transaction() as cursor:
        cursor.execute("SET max_stack_depth = '100kB'")

    stored = store_page(session, profile, poll_id, row(1), with_unknown(2, DEEP), row(3))

    assert (stored.new, stored.quarantined) == (2, 1)
    assert column(store, "SELECT error FROM ropo.status_quarantine") == [
        "row: PostgreSQL refuses it (StatementTooComplex, SQLSTATE 54001)"
    ]


def test_a_bad_row_waits_once_however_often_it_comes(session: Session, store: Connection, profile: Profile) -> None:
    bad = row(1, amount="a lot")

    summary = drain(session, profile, ScriptedSource(page(bad, row(2), bad), page(bad), page(row(3), bad)))

    assert (summary.new, summary.quarantined) == (2, 4)
    assert query(store, "SELECT times_seen, equal_rows, poll_id FROM ropo.status_quarantine") == [(3, 2, 1)]
    (raw,) = column(store, "SELECT raw FROM ropo.status_quarantine")
    assert json.loads(bytes(raw)) == bad


def test_rows_without_a_statusid_are_kept_by_content_and_occurrence(
    session: Session, store: Connection, profile: Profile
) -> None:
    bare = row(1, statusid=None)

    first = drain(session, profile, ScriptedSource(page(bare, bare)))
    again = drain(session, profile, ScriptedSource(page(bare, bare, bare)))

    assert (first.new, again.new) == (2, 1)
    assert len(events(store)) == 3


def test_events_that_another_session_brings_at_the_same_moment_are_kept_once(
    session: Session, store: Connection, store_dsn: str, profile: Profile, poll_id: int
) -> None:
    """The other one has not committed when it is looked what is held, and has when the rows go in."""
    with Session(lambda: connect(store_dsn)) as other, other.transaction() as theirs:
        store_rows(
            theirs, parsed(profile, row(2, amount="1.00"), row(3)), profile=profile, poll_id=poll_id, kind="date"
        )

        def commit_while_it_waits() -> None:
            until(lambda: waiting_for_a_lock(store))
            theirs.connection.commit()

        with meanwhile(commit_while_it_waits):
            stored = store_page(session, profile, poll_id, row(1), row(2), row(3), row(4))

    assert (stored.new, stored.revised) == (2, 1)
    assert events(store) == ["P1", "P2", "P3", "P4"]


def test_what_postgresql_says_of_a_row_is_not_in_an_error_that_may_pass(
    session: Session, store: Connection, store_dsn: str, profile: Profile, poll_id: int
) -> None:
    personal = secrets.token_hex()
    with Session(lambda: connect(store_dsn)) as other, other.transaction() as theirs:
        store_rows(theirs, parsed(profile, row(1)), profile=profile, poll_id=poll_id, kind="date")
        with session.transaction() as ours:
            ours.execute("SET lock_timeout = 1")

        with pytest.raises(psycopg2.errors.LockNotAvailable) as raised:
            store_page(session, profile, poll_id, row(1, statustext=personal))

    assert personal not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("table", "changes"),
    [("status_event_revision", {"amount": "50.00"}), ("status_quarantine", {"amount": "much"})],
)
def test_a_statement_that_is_broken_off_leaves_no_text_in_postgresqls_log(
    session: Session,
    store: Connection,
    store_dsn: str,
    profile: Profile,
    postgres: Server,
    poll_id: int,
    table: str,
    changes: dict[str, object],
) -> None:
    """By its defaults it writes a statement that fails, as it was sent."""
    personal = secrets.token_hex()
    store_page(session, profile, poll_id, row(1))

    def break_off() -> None:
        until(lambda: waiting_for_a_lock(store))
        execute(store, "SELECT pg_cancel_backend(pid) FROM unnest(%s) AS pid", (waiting_for_a_lock(store),))

    with closing(connect(store_dsn)) as other, other.cursor() as theirs:
        theirs.execute(f"LOCK TABLE ropo.{table} IN SHARE MODE")
        with meanwhile(break_off), pytest.raises(psycopg2.errors.QueryCanceled):
            store_page(session, profile, poll_id, row(1, statusref=f"Matti {personal}", **changes))

    log = (postgres.home / "postgres" / "server.log").read_text(errors="replace")
    assert f"INSERT INTO ropo.{table}" in log
    assert personal not in log
    assert personal.encode().hex() not in log


def test_no_row_of_the_journal_goes_away(store: Connection, poll_id: int) -> None:
    with pytest.raises(psycopg2.errors.RaiseException, match="status_poll is append-only"):
        execute(store, "DELETE FROM ropo.status_poll")
