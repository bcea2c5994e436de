"""Whether a profile's queue is emptied, and what its polls left in doubt."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.page_data.statements import row_of

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# A drain runs every 15 minutes: after this long without a 204 people are told, and so is who looks at the page.
PATIENCE = datetime.timedelta(hours=1)


class DrainHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a queue (``drain_health.sql``).

    :param newest_empty: when Ropo One last said that nothing is left (HTTP 204).
    :param newest_event: the newest ``statustime`` that does not lie ahead, by the market's clock.
    :param newest_stored: when an event was stored last.
    :param doubts: drain polls that ended in doubt, by what became of them.
    :param quarantined: rows that wait in quarantine.
    :param events_by_hour: new events of the drain in each of the last 24 hours, the oldest first.
    """

    newest_empty: datetime.datetime | None
    newest_poll: datetime.datetime | None
    newest_event: datetime.datetime | None
    newest_stored: datetime.datetime | None
    doubts: dict[str, int]
    quarantined: int
    events_by_hour: list[int]

    @property
    def events_of_a_day(self) -> int:
        """New events of the last 24 hours."""
        return sum(self.events_by_hour)

    @property
    def in_doubt(self) -> int:
        """Polls that are neither recovered nor accepted."""
        return self.doubts.get("pending", 0) + self.doubts.get("unproven", 0)


def read_drain_health(cursor: Cursor, profile: Profile, now: datetime.datetime) -> DrainHealth:
    """Look at a profile's queue."""
    local = now.astimezone(profile.zone).replace(tzinfo=None)
    found = row_of(cursor, DrainHealth, "drain_health", {"profile": profile.name, "local": local, "now": now})
    if found is None:
        raise LookupError("drain_health.sql gave no row")
    return found
