"""Rows go into a table by COPY as they are, and what cannot be made of one is told as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store.copying import ROWS_AT_ONCE, copy_across, copy_bytes, copy_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.status_store.session import Session

TEXTS = ["", " ", "\\N", "\\.", "a\\b", "a\tb", "a\nb", "a\r\nb", "\\\t\\\n", "ä€😀", "\\x41", None]


@pytest.fixture
def table(store: Connection) -> str:
    with store.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (place integer, one text, other text)")
    return "COPY copied (place, one, other) FROM STDIN"


def copied(store: Connection) -> list[tuple[object, ...]]:
    with store.cursor() as cursor:
        cursor.execute("SELECT place, one, other FROM copied ORDER BY place")
        return cursor.fetchall()


def test_each_text_arrives_as_it_is_beside_every_other(store: Connection, table: str) -> None:
    pairs = [(one, other) for one in TEXTS for other in TEXTS]
    rows = [(place, *pair) for place, pair in enumerate(pairs)]

    with store.cursor() as cursor:
        assert copy_rows(cursor, table, rows) == len(rows)

    assert copied(store) == rows


@pytest.mark.parametrize("count", [0, 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1])
def test_any_number_of_rows_is_copied(store: Connection, table: str, count: int) -> None:
    with store.cursor() as cursor:
        assert copy_rows(cursor, table, ((place, "x", None) for place in range(count))) == count

    assert len(copied(store)) == count


def test_an_error_in_making_the_rows_is_raised_as_it_is(store: Connection, table: str) -> None:
    def rows() -> Iterator[tuple[object, ...]]:
        yield 1, "x", None
        raise LookupError("no more")

    with store.cursor() as cursor, pytest.raises(LookupError, match="no more"):
        copy_rows(cursor, table, rows())

    assert copied(store) == []


def test_an_error_of_postgresql_is_its_own(store: Connection, table: str) -> None:
    with store.cursor() as cursor, pytest.raises(psycopg2.errors.InvalidTextRepresentation):
        copy_rows(cursor, table, [("no number", "x", "y")])


def test_bytes_arrive_as_they_are(store: Connection) -> None:
    body = bytes(range(256)) * 5000
    with store.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE kept (body bytea, note text)")
        copy_bytes(cursor, "COPY kept FROM STDIN (FORMAT binary)", (body, None))
        copy_bytes(cursor, "COPY kept FROM STDIN (FORMAT binary)", (b"", "ä".encode()))
        cursor.execute("SELECT body, note FROM kept")
        assert [(bytes(kept), note) for kept, note in cursor.fetchall()] == [(body, None), (b"", "ä")]


def test_rows_go_from_one_connection_to_another(store: Connection, session: Session, table: str) -> None:
    select = "SELECT place, E'a\\tb\\n', NULL FROM generate_series(1, 20000) AS place"
    with session.transaction() as source, store.cursor() as target:
        assert copy_across(source, f"COPY ({select}) TO STDOUT", target, table) == 20_000

    assert copied(store) == [(place, "a\tb\n", None) for place in range(1, 20_001)]


@pytest.mark.parametrize(
    ("out", "into", "error"),
    [
        ("SELECT 1 / (50000 - place), 'x', NULL", "", psycopg2.errors.DivisionByZero),
        ("SELECT 'no number' || place, repeat('x', 1000), NULL", "", psycopg2.errors.InvalidTextRepresentation),
        ("SELECT place, 'x', NULL", "COPY nowhere FROM STDIN", psycopg2.errors.UndefinedTable),
    ],
    ids=["the source fails half-way", "the target refuses the first row", "the target is not there"],
)
def test_where_one_side_fails_the_other_ends_and_the_error_is_its_own(
    store: Connection, session: Session, table: str, out: str, into: str, error: type[Exception]
) -> None:
    select = f"COPY ({out} FROM generate_series(1, 100000) AS place) TO STDOUT"

    with pytest.raises(error), session.transaction() as source, store.cursor() as target:
        copy_across(source, select, target, into or table)


@pytest.mark.parametrize("first_bad", [1, 90_000])
def test_what_a_source_fails_on_is_told_and_not_that_the_target_got_a_cut_stream(
    store: Connection, session: Session, table: str, first_bad: int
) -> None:
    rows = f"SELECT 1 / (place - {first_bad}), 'x', NULL FROM generate_series(1, 100000) AS place"
    binary = f"{table} (FORMAT binary)"

    with pytest.raises(psycopg2.errors.DivisionByZero), session.transaction() as source, store.cursor() as target:
        copy_across(source, f"COPY ({rows}) TO STDOUT (FORMAT binary)", target, binary)
