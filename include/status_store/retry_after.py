"""Retry-After (RFC 9110, 10.2.3): until when Ropo One is to be left alone, kept for the tasks and runs that follow."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.status_store.source import PollUnsentError

if TYPE_CHECKING:
    from typing import Self

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# Whatever a header says, or a clock that was put back makes of it, must not stop a profile for good.
LONGEST = datetime.timedelta(days=1)
# A task that waits holds a slot that others need; a drain comes again in a quarter of an hour.
LONGEST_WAIT_SECONDS = 300.0
# Whether the profile of the parameter ``profile`` may be asked now.
NO_PAUSE = f"""
NOT EXISTS (
    SELECT
    FROM ropo.profile_pin
    WHERE profile = %(profile)s AND not_before > clock_timestamp()
        AND not_before <= clock_timestamp() + interval '{LONGEST.days} day'
)
"""  # noqa: S608 - a constant
# The newest word counts where it is the longer one: an answer without a word must not cut short what another one said.
_KEEP = """
UPDATE ropo.profile_pin
SET not_before = greatest(
    clock_timestamp() + %(wait)s,
    CASE WHEN not_before <= clock_timestamp() + %(longest)s THEN not_before END
)
WHERE profile = %(profile)s
"""


class Pause(msgspec.Struct, frozen=True):
    """Ropo One has asked not to be polled for a while.

    :param until: when it ends, aware; ``seconds``: until then.
    """

    until: datetime.datetime
    seconds: float

    @classmethod
    def if_any(cls, until: datetime.datetime | None, seconds: float | None) -> Self | None:
        """Return the pause, None where there is none or it is over.

        :param until: as kept, and ``seconds``: until then, by the store's clock.
        """
        if until is None or seconds is None or not 0 < seconds <= LONGEST.total_seconds():
            return None
        return cls(until, seconds)


class AskedToWaitError(PollUnsentError):
    """Ropo One has asked not to be polled before a moment that is too far ahead to wait for it."""

    def __init__(self, profile: Profile, until: datetime.datetime) -> None:
        moment = f"{until.astimezone(profile.zone):%Y-%m-%d %H:%M:%S %Z}"
        super().__init__(
            f"Profile {profile.name}: Ropo One has asked (Retry-After) not to be polled before {moment}, so it was not"
        )


def keep_pause(cursor: Cursor, profile: str, seconds: float) -> None:
    """Keep for how long Ropo One asked not to be polled, :data:`LONGEST` at most. A longer pause that stands stays."""
    wait = datetime.timedelta(seconds=min(seconds, LONGEST.total_seconds()))
    cursor.execute(_KEEP, {"profile": profile, "wait": wait, "longest": LONGEST})
