"""A page's body is kept packed, and read as it came, one from before it was packed too."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store.page_body import Body, NoPageError, held_pages, pack, read_body, unpack
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import drain, execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session


def keep_as_it_came(store: Connection, body: bytes) -> int:
    """A page of a version that did not pack; return its poll."""
    ((poll_id,),) = query(
        store,
        "INSERT INTO ropo.status_poll (profile, kind, outcome, closed_at, window_from) "
        "VALUES ('default', 'drain', 'landed', now(), '2026-11-01') RETURNING poll_id",
    )
    execute(
        store,
        "INSERT INTO ropo.status_page (poll_id, body, sha256, complete) VALUES (%s, %s, '', true)",
        (poll_id, psycopg2.Binary(body)),
    )
    return int(str(poll_id))


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)) * 1000, pack(b"{}")])
def test_a_packed_body_is_unpacked_byte_for_byte(body: bytes) -> None:
    assert unpack(memoryview(pack(body)), "gzip") == body
    assert unpack(memoryview(body), "identity") == body


def test_a_page_is_kept_as_gzip_with_its_size(session: Session, profile: Profile) -> None:
    answer = page(*map(row, range(100)))

    drain(session, profile, ScriptedSource(answer))

    with session.transaction() as cursor:
        cursor.execute("SELECT body, body_encoding, size FROM ropo.status_page")
        ((body, encoding, size),) = cursor.fetchall()
    assert (gzip.decompress(body), encoding, size) == (answer.body, "gzip", len(answer.body))
    assert len(body) < len(answer.body) / 5


def test_packed_pages_and_those_from_before_are_read_alike(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    before = keep_as_it_came(store, page(row(2)).body)

    with session.transaction() as cursor:
        cursor.execute("SELECT poll_id, body, body_encoding, complete FROM ropo.status_page ORDER BY poll_id")
        assert held_pages(cursor) == [(1, page(row(1)).body, True), (before, page(row(2)).body, True)]
        for poll_id, answer in ((1, page(row(1))), (before, page(row(2)))):
            assert read_body(cursor, poll_id) == Body(answer.body, None)


def test_a_poll_without_a_page_and_a_page_that_is_gone_are_told_apart(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    execute(store, "UPDATE ropo.status_page SET body = NULL, removed_at = '2026-11-20 12:00Z'")

    with session.transaction() as cursor:
        with pytest.raises(NoPageError, match="Poll 2 has no page"):
            read_body(cursor, 2)
        with pytest.raises(NoPageError, match="The page of poll 1 was removed 2026-11-20"):
            read_body(cursor, 1)
