"""What a profile's drain brings; what waits is told by :mod:`include.page_data.waiting`."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.page_data.statements import row_of

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile


class DrainHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a drain (``drain_health.sql``).

    :param newest_poll: when any poll was opened last.
    :param newest_event: the newest ``statustime`` that does not lie ahead, by the market's clock.
    :param events_by_hour: new events of the drain in each of the last 24 hours, the oldest first.
    """

    newest_poll: datetime.datetime | None
    newest_event: datetime.datetime | None
    events_by_hour: list[int]

    @property
    def events_of_a_day(self) -> int:
        """New events of the last 24 hours."""
        return sum(self.events_by_hour)


def read_drain_health(cursor: Cursor, profile: Profile, now: datetime.datetime) -> DrainHealth:
    """Look at a profile's drain."""
    local = profile.wall_clock(now)
    return row_of(cursor, DrainHealth, "drain_health", {"profile": profile.name, "local": local, "now": now})
