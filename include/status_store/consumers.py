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

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_NOTE = Path(__file__).with_name("note_undrained.sql").read_text(encoding="utf-8")
# One that a drain or a replay brought after all, or that a doubt marked since explains, stays on record and is told no
# more.
_LIST = """
SELECT
    event.statusid, event.billnum, event.jobid, event.statustype, event.statustime, event.source,
    undrained.shown_by_poll_id, undrained.empty_poll_id, undrained.noticed_at
FROM ropo.undrained_event AS undrained
JOIN ropo.status_event AS event USING (profile, statusid)
WHERE undrained.profile = %s AND event.drained_poll_id IS NULL
  AND NOT EXISTS (
      SELECT FROM ropo.status_poll AS doubt
      WHERE doubt.profile = event.profile AND doubt.recovery IS NOT NULL
        AND event.statustime::date BETWEEN doubt.window_from AND doubt.window_to
  )
ORDER BY undrained.noticed_at, event.statustime, event.statusid
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
    return [UndrainedEvent(*row) for row in cursor.fetchall()]
