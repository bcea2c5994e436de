"""A store restored from a backup: a span is marked in doubt, and the next drain run re-reads its dates."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

import pytest

from include.status_store.__main__ import main
from include.status_store.database import STORE_VARIABLE
from include.status_store.journal import Journal
from include.status_store.mark_in_doubt import mark_in_doubt, parse_moment
from include.status_store.recovery import Recovery
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.test_earlier_dates import DatedSource
from tests.include.status_store.views import doubts, drain, events, execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from local_airflow.embedded import Server

DAY = datetime.timedelta(days=1)


def emptied_on(session: Session, store: Connection, profile: Profile, moment: str) -> None:
    """The queue answered 204 at that moment."""
    drain(session, profile, ScriptedSource(EMPTY))
    newest = "(SELECT max(poll_id) FROM ropo.status_poll)"
    execute(
        store,
        f"UPDATE ropo.status_poll SET opened_at = %(moment)s, closed_at = %(moment)s WHERE poll_id = {newest}",
        {"moment": moment},
    )


def test_the_command_marks_the_span_and_the_next_drain_run_brings_back_what_is_gone(
    session: Session,
    store: Connection,
    profile: Profile,
    postgres: Server,
    store_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The backup is older than the drain that brought the two changes; the queue does not hand them over again."""
    monkeypatch.setenv(STORE_VARIABLE, json.dumps(postgres.airflow_connection(store_name)))
    emptied_on(session, store, profile, "2026-11-13T21:45+02:00")
    span = ("--from", "2026-11-13T22:00", "--to", "2026-11-14T07:30+00:00")
    arguments = ("mark-in-doubt", "--profile", "default", *span, "--note", "restored from Friday", "--by", "Anna")

    assert main(arguments) == 0

    assert "the next run of ropo_status_drain re-reads dates " in capsys.readouterr().out
    columns = "kind, outcome, recovery, window_from::text, window_to::text, error"
    assert query(store, f"SELECT {columns} FROM ropo.status_poll WHERE recovery IS NOT NULL") == [
        (
            "drain", "in_doubt", "pending", "2026-11-06", "2026-11-15",
            "marked in doubt by Anna, 2026-11-13T22:00:00+02:00 to 2026-11-14T09:30:00+02:00: restored from Friday",
        )
    ]  # fmt: skip
    # What the drain DAG does: it drains, and then it recovers.
    drain(session, profile, ScriptedSource(EMPTY))
    source = DatedSource({datetime.date(2026, 11, 13): page(row(1), row(2))})
    summary = Recovery(session, source, Journal(profile), max_seconds=60).run()

    assert source.asked == [datetime.date(2026, 11, 15) - number * DAY for number in range(10)]
    assert (summary.new, summary.recovered) == (2, 1)
    assert events(store) == ["P1", "P2"]
    assert doubts(store) == [("recovered", None)]


@pytest.mark.parametrize(
    ("start", "end", "by", "note", "error"),
    [
        ("2026-11-02", "2026-11-01", "Anna", "x", "expected a moment after --from"),
        ("2026-11-01", "2126-11-01", "Anna", "x", "expected a moment that is past"),
        ("2016-11-01", "2026-11-01", "Anna", "x", "--from: .* start_date 2026-01-01 on, got 2016-11-01"),
        ("2025-12-31T23:59", "2026-11-01", "Anna", "x", "got 2025-12-31T23:59:00"),
        ("2026-11-01", "2026-11-02", "Anna", "  ", "note: expected a text"),
        ("2026-11-01", "2026-11-02", "", "x", "by: expected a text"),
        ("first of May", "2026-11-02", "Anna", "x", "got 'first of May'"),
    ],
)
def test_a_mistake_marks_nothing(
    session: Session, store: Connection, profile: Profile, start: str, end: str, by: str, note: str, error: str
) -> None:
    def mark() -> None:
        with session.transaction() as cursor:
            span = [parse_moment(text, profile) for text in (start, end)]
            mark_in_doubt(cursor, profile, span[0], span[1], by=by, note=note)

    with pytest.raises(ValueError, match=error):
        mark()
    assert doubts(store) == []


def test_the_first_moment_of_the_start_date_can_be_marked(
    session: Session, store: Connection, profile: Profile
) -> None:
    with session.transaction() as cursor:
        start = parse_moment("2026-01-01", profile)
        mark_in_doubt(cursor, profile, start, start, by="Anna", note="x")

    assert query(store, "SELECT window_from::text FROM ropo.status_poll") == [("2025-12-25",)]


def marked_window(session: Session, store: Connection, profile: Profile, start: str) -> tuple[object, ...]:
    """Mark the time since a moment, to an hour later; return where its window begins, and whether that is a bound."""
    moment = parse_moment(start, profile)
    with session.transaction() as cursor:
        poll_id = mark_in_doubt(cursor, profile, moment, moment + DAY / 24, by="Anna", note="restored")
    [window] = query(store, "SELECT window_from::text, bounded FROM ropo.status_poll WHERE poll_id = %s", (poll_id,))
    return window


def test_what_had_waited_for_longer_than_late_days_before_the_backup_is_in_the_window(
    session: Session, store: Connection, profile: Profile
) -> None:
    """Airflow was off for a month; the backup was made before the first drain took what had come meanwhile."""
    emptied_on(session, store, profile, "2026-09-30T22:00+00:00")  # the first of October in Helsinki
    emptied_on(session, store, profile, "2026-11-13T23:00+02:00")  # after the backup

    assert marked_window(session, store, profile, "2026-11-13T22:00") == ("2026-09-24", False)


def test_before_any_204_the_window_begins_at_the_start_date_and_says_so(
    session: Session, store: Connection, profile: Profile
) -> None:
    assert marked_window(session, store, profile, "2026-11-13T22:00") == ("2026-01-01", True)


def test_a_moment_without_an_offset_is_the_markets_wall_clock(profile: Profile) -> None:
    assert parse_moment("2026-07-01T12:00", profile).isoformat() == "2026-07-01T12:00:00+03:00"
    assert parse_moment("2026-01-01", profile).isoformat() == "2026-01-01T00:00:00+02:00"
    assert parse_moment("2026-01-01T12:00+00:00", profile).isoformat() == "2026-01-01T12:00:00+00:00"
