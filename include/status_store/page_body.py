"""A page's body as the store keeps it: packed here, for a third of what PostgreSQL's own compression costs.

``status_page.body_encoding`` says how, in HTTP's words. Bodies that were kept before this was done stand as they came.
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

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


def read_body(cursor: Cursor, poll_id: int) -> bytes:
    """Return what a poll was answered, byte for byte; without its texts where they were erased.

    :raises NoPageError: where there is no body, or no such poll.
    """
    cursor.execute("SELECT body, body_encoding, removed_at FROM ropo.status_page WHERE poll_id = %s", (poll_id,))
    found = cursor.fetchone()
    if found is None:
        raise NoPageError(f"Poll {poll_id} has no page: it brought none, or there is no such poll")
    body, encoding, removed_at = found
    if body is None:
        raise NoPageError(f"The page of poll {poll_id} was removed {removed_at:%Y-%m-%d}, after its retention")
    return unpack(body, encoding)
