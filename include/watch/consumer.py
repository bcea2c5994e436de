"""Alerts about another consumer of the queue, as :mod:`include.status_store.consumers` finds it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.config.wording import counted
from include.status_store.consumers import kinds_that_leave, note_undrained, undrained_events
from include.watch.alert import Matter
from include.watch.topics import THE_ONE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.consumers import UndrainedEvent

# Each night's re-reads show what a consumer took, so an alert holds on while it runs, and ends after it.
LOOK_BACK = datetime.timedelta(days=2)
_ANOTHER = (
    "Another program takes changes out of this customer number's queue (an old integration left running?). What it "
    "takes later than `late_days` after its date, no re-read will find"
)
_ANOTHER_OR_OUR_OWN = (
    f"{_ANOTHER}; or Ropo One's answers by date or invoice number take what they show out of the queue (nobody knows): "
    "then each of these was recorded in the minutes before our own poll showed it, and nothing is amiss. Another "
    "program takes many, at every hour"
)


class OtherConsumer:
    """Changes that Ropo One has and never handed to us, though the queue was drained empty since."""

    name = "other_consumer"
    plural = "other consumers of the queue"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now
        self._taken: list[UndrainedEvent] = []

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the one subject where such changes were noticed of late; notices what nobody has noticed yet."""
        note_undrained(cursor, self.profile)
        self._taken = undrained_events(cursor, self.profile.name, self.now - LOOK_BACK)
        return THE_ONE if self._taken else {}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return how many changes of which dates, and what may be behind it."""
        leaving = kinds_that_leave(cursor, self.profile.name)
        is_another = any(event.source in leaving for event in self._taken)
        dates = sorted(event.statustime.date() for event in self._taken)
        lines = (
            f"Ropo One shows {counted(len(self._taken), 'change')} of {dates[0]} to {dates[-1]} that no drain brought, "
            "though the queue was drained empty before and after. They are kept: none of these is lost",
            _ANOTHER if is_another else _ANOTHER_OR_OUR_OWN,
            "What to do: find the other program and stop it, or ask Ropo who polls with this customer number. "
            "`python -m include.status_store undrained` lists the changes",
        )
        title = f"another consumer {'seems to' if is_another else 'may'} read the queue"
        return [Matter(title=title, lines=lines)]
