"""The alert about profiles that the profiles file lacks: no task is theirs any more, so that nothing else tells it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import load_profiles, profiles_file
from include.config.wording import counted
from include.status_store.retired import TOPIC
from include.status_store.rows import structs
from include.watch.alert import Matter
from include.watch.queue import PATIENCE
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile


class _Missing(msgspec.Struct, frozen=True):
    """A profile that the file lacks (``missing_profiles.sql``)."""

    profile: str
    newest_poll: datetime.datetime
    breaks: int
    doubts: int
    rows: int


class MissingProfiles:
    """Profiles of the store that the file lacks and whose queue nobody has asked for an hour, but those retired.

    Each is told by the watch of the file's first profile. One that another deployment drains into the same store, by a
    file of its own, is not missing.
    """

    name = TOPIC
    plural = "profiles are not in the profiles file"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now
        self._missing: dict[str, _Missing] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return their names as subjects; what waits of one may change, and says the same."""
        known = [each.name for each in load_profiles()]
        if self.profile.name != known[0]:
            return {}
        values = {"known": known, "since": self.now - PATIENCE, "topic": TOPIC}
        cursor.execute(statement("missing_profiles"), values)
        self._missing = {each.profile: each for each in structs(cursor, _Missing)}
        return dict.fromkeys(self._missing, "")

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return since when, what waits, and what to do."""
        return [self._matter(self._missing[name]) for name in subjects]

    def _matter(self, missing: _Missing) -> Matter:
        name, asked = missing.profile, self.profile.clock(missing.newest_poll)
        lines = (
            f"{profiles_file()} lacks it, and its queue was last asked at {asked}: nothing of it is drained, compared, "
            "erased or told any more",
            f"Of it wait {counted(missing.breaks, 'open break')}, {counted(missing.doubts, 'poll')} in doubt and "
            f"{counted(missing.rows, 'row')} in quarantine",
            "What to do: put it back into the file, under this name; its changes wait in Ropo One's queue. Where it is "
            f"retired for good, say so: `python -m include.status_store retire {name} --note …`. Where another "
            "deployment drains it into this store, see why that has stopped",
        )
        return Matter(title=f"profile {name} is not in the profiles file any more", lines=lines)
