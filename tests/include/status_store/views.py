"""What a test does with a store again and again: run a drain, or a part of one, and look at what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.status_store.drain import Drain
from include.status_store.envelope import split_rows
from include.status_store.journal import Journal
from include.status_store.landing import Page, land
from include.status_store.page_body import held_pages
from include.status_store.queue_lock import QueueLock
from tests.include.status_store.scripted_source import ScriptedSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.drain import DrainSummary
    from include.status_store.session import Session
    from include.status_store.source import Answer, StatusSource

    Parameters = Mapping[str, object] | Sequence[object] | None


def drain(
    session: Session, profile: Profile, source: StatusSource, *, max_pages: int = 100, max_seconds: float = 60
) -> DrainSummary:
    """Run one drain, with bounds that no test reaches by chance."""
    return Drain(session, source, Journal(profile), max_pages=max_pages, max_seconds=max_seconds).run()


def land_alone(session: Session, profile: Profile, answer: Answer) -> Page:
    """What a process leaves that ended between a page's commit and its events."""
    with session.transaction() as cursor:
        poll_id = Journal(profile).open(cursor, "drain")
    landed = Page(poll_id=poll_id, kind="drain", answer=answer, rows=split_rows(answer.body))
    land(session, Journal(profile), landed, QueueLock(session, ScriptedSource().queue), open_next=False)
    return landed


def note_days(store: Connection) -> None:
    """Note the days of events whose times a test has written itself."""
    execute(store, "SELECT ropo.note_days()")


def query(store: Connection, statement: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
    """All rows of a SELECT."""
    with store.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def execute(store: Connection, statement: str, parameters: Parameters = None) -> int:
    """Run a statement; return how many rows it touched."""
    with store.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def column(store: Connection, statement: str, parameters: Parameters = None) -> list[Any]:
    """The one column of a SELECT."""
    return [value for (value,) in query(store, statement, parameters)]


def outcomes(store: Connection) -> list[object]:
    """Every poll's outcome, in the order of the polls."""
    return column(store, "SELECT outcome FROM ropo.status_poll ORDER BY poll_id")


def events(store: Connection) -> list[object]:
    """Every event's statusid, in order."""
    return column(store, "SELECT statusid FROM ropo.status_event ORDER BY statusid")


def new_counts(store: Connection) -> list[object]:
    """How many new events each page was found to have, in the order of the polls."""
    return column(store, "SELECT new_count FROM ropo.status_poll WHERE outcome = 'landed' ORDER BY poll_id")


def to_replay(store: Connection) -> list[object]:
    """The polls whose pages wait for a replay."""
    return column(store, "SELECT poll_id FROM ropo.page_to_replay")


def bodies(store: Connection) -> list[bytes]:
    """The body of every page that has one, as it came, in the order of the polls."""
    held = "SELECT poll_id, body, body_encoding, complete FROM ropo.status_page WHERE body IS NOT NULL ORDER BY poll_id"
    with store.cursor() as cursor:
        cursor.execute(held)
        return [body for _, body, _ in held_pages(cursor)]


def doubts(store: Connection) -> list[tuple[object, ...]]:
    """Every doubt's recovery and its reason, in the order of the polls."""
    return query(
        store, "SELECT recovery, recovery_reason FROM ropo.status_poll WHERE recovery IS NOT NULL ORDER BY poll_id"
    )
