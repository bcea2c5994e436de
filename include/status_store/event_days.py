"""On which days the events of a transaction are dated: noted beside them, so that they are found by their day.

A row of ``ropo.event_day`` stands for all events that were stored at one moment and are dated on one day; the view
``ropo.event_by_day`` leads from it to them.
"""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

from include.status_store.statements import statement

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from psycopg2.extensions import cursor as Cursor

logger = logging.getLogger(__name__)

# With the parameters of `noted`; of a drain's page in one round trip with its counts. The moment is what
# `first_seen_at` is by default.
NOTE_DAYS = """
INSERT INTO ropo.event_day (profile, day, seen_at)
SELECT %(profile)s, day, now() FROM unnest(%(days)s::date[]) AS noted (day)
ON CONFLICT DO NOTHING;
"""
# In one order, so that two sessions that move events of one moment cannot deadlock.
_NOTE_MOVED = """
INSERT INTO ropo.event_day (profile, day, seen_at)
SELECT %(profile)s, day, seen_at
FROM unnest(%(days)s::date[], %(moments)s::timestamptz[]) AS moved (day, seen_at)
ORDER BY day, seen_at
ON CONFLICT DO NOTHING
"""


def noted(profile: str, days: Collection[str]) -> dict[str, object]:
    """Return the parameters of :data:`NOTE_DAYS`.

    :param days: of the events that this transaction stores as new, as ISO text.
    """
    return {"profile": profile, "days": sorted(days)}


def note_days(cursor: Cursor, profile: str, days: Collection[str]) -> None:
    """Note the days of the events that the transaction of ``cursor`` stores as new, if it stores any."""
    if days:
        cursor.execute(NOTE_DAYS, noted(profile, days))


def note_moved(cursor: Cursor, profile: str, moved: Collection[tuple[datetime.date, datetime.datetime]]) -> None:
    """Note the days on which events are dated by what the transaction of ``cursor`` has made of them, if there are any.

    :param moved: each day, with when the events were stored; once a transaction, after all else that it does to events.
    """
    if moved:
        days, moments = zip(*moved, strict=True)
        cursor.execute(_NOTE_MOVED, {"profile": profile, "days": [*days], "moments": [*moments]})


def note_missed(cursor: Cursor) -> None:
    """Note the days of events of any profile that a process of an earlier version has stored, and tell of it."""
    cursor.execute(statement("note_missed"))
    missed = sorted(set(cursor.fetchall()))
    for profile, of_profile in itertools.groupby(missed, lambda each: each[0]):
        logger.warning(
            "Profile %s: a process of an earlier version ran on beyond `make migrate`, and the events that it stored "
            "were on no day. They are now; run these dates again: %s",
            profile, ", ".join(str(day) for _, day in of_profile),
        )  # fmt: skip
