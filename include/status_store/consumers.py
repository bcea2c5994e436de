"""Another consumer of the queue: changes that Ropo One has and never handed to us, though the queue was drained empty.

Whether a change is one of them can be said once a drain has completed *after* a re-read showed it: until then the queue
may still hold it. What is found is recorded once. A doubtful poll, a page that waits for a replay, and the time before
the profile's first 204 explain a change otherwise, and so does a drain that showed it in another form; see
``note_undrained.sql`` and :mod:`.shown_by_drains` for each condition and its reason.

Nobody knows whether a poll by date or by invoice number takes what it shows out of the queue. Where it does, a change
that was recorded between a 204 and such a poll is found here too, and looks just as one that another program took. Only
the other way is ever proven: by a drain that brings what such a poll showed before it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.status_store.rows import structs
from include.status_store.shown_by_drains import Undrained, mark_shown
from include.status_store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_LIST = """
SELECT statusid, billnum, jobid, statustype, statustime, source, shown_by_poll_id, empty_poll_id, noticed_at
FROM ropo.undrained_unexplained
WHERE profile = %s AND noticed_at >= %s
ORDER BY noticed_at, statustime, statusid
"""
_FORGET = "DELETE FROM ropo.undrained_event WHERE profile = %s AND statusid = ANY (%s)"


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
    cursor.execute(statement("note_undrained"), {"profile": profile.name, "zone": profile.timezone})
    noted = structs(cursor, Undrained)
    shown = mark_shown(cursor, profile, noted)
    # In the transaction that wrote them: they were never on record.
    cursor.execute(_FORGET, (profile.name, [*shown]))
    return len(noted) - len(shown)


def undrained_events(cursor: Cursor, profile: str, since: datetime.datetime | None = None) -> list[UndrainedEvent]:
    """Return the recorded changes of a profile that nothing has explained since, as they were noticed.

    :param since: aware: those that were noticed then or later; by default all.
    """
    cursor.execute(_LIST, (profile, since or "-infinity"))
    return structs(cursor, UndrainedEvent)


def kinds_that_leave(cursor: Cursor, profile: str) -> set[str]:
    """Return the kinds of poll, ``date`` and ``billnum``, that are known to leave what they show in the queue.

    Looks through all of the profile's events: to be asked where there is something to tell.
    """
    cursor.execute(statement("kinds_that_leave"), (profile,))
    return {kind for (kind,) in cursor.fetchall()}
