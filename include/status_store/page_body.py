"""A page's body as the store keeps it: packed here, for less than what PostgreSQL's own compression costs.

``status_page.body_encoding`` says how, in HTTP's words. Bodies that were kept before this was done stand as they came.
"""

from __future__ import annotations

import datetime
import gzip
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    # poll_id, the body as it came, complete
    HeldPage = tuple[int, bytes, bool]

GZIP = "gzip"
# A page of a thousand rows comes to a tenth; a higher level saves little more, and costs several times as much.
_LEVEL = 1


class NoPageError(LookupError):
    """A poll has no body in the store."""


def pack(body: bytes) -> bytes:
    """Return a body as it is kept, in the encoding :data:`GZIP`."""
    return gzip.compress(body, _LEVEL, mtime=0)


def unpack(body: bytes | memoryview, encoding: str) -> bytes:
    """Return a body as it came.

    :param body: of ``status_page``; ``encoding``: its ``body_encoding``.
    """
    return gzip.decompress(body) if encoding == GZIP else bytes(body)


def held_pages(cursor: Cursor) -> list[HeldPage]:
    """Fetch what a SELECT of ``poll_id, body, body_encoding, complete`` found."""
    return [(poll_id, unpack(body, encoding), complete) for poll_id, body, encoding, complete in cursor.fetchall()]


class Body(msgspec.Struct, frozen=True):
    """What a poll was answered.

    :param content: byte for byte as it came, unless ``redacted_at``: then without the texts that were erased.
    """

    content: bytes
    redacted_at: datetime.datetime | None


def read_body(cursor: Cursor, poll_id: int) -> Body:
    """Return what a poll was answered.

    :raises NoPageError: if there is no body, or no such poll.
    """
    cursor.execute(
        "SELECT body, body_encoding, redacted_at, removed_at FROM ropo.status_page WHERE poll_id = %s", (poll_id,)
    )
    found = cursor.fetchone()
    if found is None:
        raise NoPageError(f"Poll {poll_id} has no page: it brought none, or there is no such poll")
    body, encoding, redacted_at, removed_at = found
    if body is None:
        raise NoPageError(f"The page of poll {poll_id} was removed {removed_at:%Y-%m-%d}: by retention or erasure")
    return Body(unpack(body, encoding), redacted_at)
