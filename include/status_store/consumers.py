"""Another consumer of the queue: changes that Ropo One has and never handed to us, though the queue was drained empty.

Whether a change is one of them can be said once a drain has completed *after* a re-read showed it: until then the queue
may still hold it. What is found is recorded once. A doubtful poll, a page that waits for a replay, and the time before
the profile's first 204 explain a change otherwise; see ``note_undrained.sql`` for each condition and its reason.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from include.status_store.rows import structs

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_NOTE = Path(__file__).with_name("note_undrained.sql").read_text(encoding="utf-8")
_LIST = """
SELECT statusid, billnum, jobid, statustype, statustime, source, shown_by_poll_id, empty_poll_id, noticed_at
FROM ropo.undrained_unexplained
WHERE profile = %s
ORDER BY noticed_at, statustime, statusid
"""


class UndrainedEvent(msgspec.Struct, frozen=True):
    """A change that no drain brought. Its free texts are left out.

    :param statustime: the market's wall clock, as Ropo writes it.
    :param source: ``date`` or ``billnum``: the kind of the poll that showed it.
    :param shown_by_poll_id: that poll; ``empty_poll_id``: the 204 after which it was still undrained.
    """

    statusid: str
    billnum: str | None
    jobid: str | None
    statustype: str
    statustime: datetime.datetime
    source: str
    shown_by_poll_id: int
    empty_poll_id: int
    noticed_at: datetime.datetime


def note_undrained(cursor: Cursor, profile: Profile) -> int:
    """Record the profile's changes that another consumer must have taken; those recorded before stay as they are.

    :return: how many are new on record.
    """
    cursor.execute(_NOTE, {"profile": profile.name, "zone": profile.timezone})
    return cursor.rowcount


def undrained_events(cursor: Cursor, profile: str) -> list[UndrainedEvent]:
    """Return the recorded changes of a profile that nothing has explained since, as they were noticed."""
    cursor.execute(_LIST, (profile,))
    return structs(cursor, UndrainedEvent)
