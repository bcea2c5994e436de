"""Which alerts were told, so that each is told once, and again only as a reminder or when it says something else."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import DRAIN_MINUTES
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from psycopg2.extensions import cursor as Cursor


# A reminder takes along those that are due within this time, or within half of the profile's own where that is less.
_TOGETHER = datetime.timedelta(hours=12)


class Held(msgspec.Struct, frozen=True):
    """An alert that is not over, and since when it holds."""

    fingerprint: str
    found_at: datetime.datetime


class Register:
    """The alerts of one profile and topic, within the caller's transaction.

    The rows stay locked until it ends, so that two tasks that find the same thing tell it once, and nothing counts as
    told where the message could not be sent.

    :param remind: after which an alert that still holds is due again, or up to half a day earlier where another one
        is; zero: never.
    """

    def __init__(
        self, cursor: Cursor, profile: str, topic: str, *, now: datetime.datetime, remind: datetime.timedelta
    ) -> None:
        self._cursor = cursor
        self._values = {"profile": profile, "topic": topic, "now": now, "remind": remind}
        self._early = {
            "half_a_look": datetime.timedelta(minutes=DRAIN_MINUTES) / 2,
            "together": min(_TOGETHER, remind / 2),
        }

    def due(self, found: Mapping[str, str]) -> list[str]:
        """Write what was found, and return the subjects that are to be told now, in order.

        :param found: subject to the fingerprint of what would be told.
        """
        subjects = sorted(found)
        values = {"subjects": subjects, "fingerprints": [found[subject] for subject in subjects]}
        self._cursor.execute(statement("due"), {**self._values, **self._early, **values})
        return sorted(subject for (subject,) in self._cursor.fetchall())

    def held(self) -> dict[str, Held]:
        """Return every subject that is not over; its row stays locked, so that nothing ends it meanwhile."""
        self._cursor.execute(
            "SELECT subject, fingerprint, found_at FROM ropo.alert WHERE profile = %(profile)s AND topic = %(topic)s "
            "AND ended_at IS NULL ORDER BY subject FOR UPDATE",
            self._values,
        )
        return {subject: Held(fingerprint, found_at) for subject, fingerprint, found_at in self._cursor.fetchall()}

    def told(self, subjects: Collection[str]) -> None:
        """Write that these subjects were told."""
        self._cursor.execute(
            "UPDATE ropo.alert SET told_at = %(now)s, times_told = times_told + 1 "
            "WHERE profile = %(profile)s AND topic = %(topic)s AND subject = ANY(%(subjects)s)",
            {**self._values, "subjects": list(subjects)},
        )

    def end(self, subject: str) -> None:
        """Write that a subject is over."""
        self._cursor.execute(
            "UPDATE ropo.alert SET ended_at = %(now)s WHERE profile = %(profile)s AND topic = %(topic)s "
            "AND ended_at IS NULL AND subject = %(subject)s",
            {**self._values, "subject": subject},
        )

    def end_others(self, subjects: Collection[str]) -> None:
        """Write that every other subject of the topic is over; should it come back, it is told anew."""
        self._cursor.execute(
            "UPDATE ropo.alert SET ended_at = %(now)s WHERE profile = %(profile)s AND topic = %(topic)s "
            "AND ended_at IS NULL AND subject <> ALL(%(subjects)s::text[])",
            {**self._values, "subjects": list(subjects)},
        )
