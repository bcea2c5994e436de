"""The state of the books of several profiles, by the rules of each one's overview, in as many statements as for one."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Profile
from include.page_data.break_knowledge import Caveat, read_knowledge
from include.page_data.breaks import BreakSelection, BreakSum, read_break_sums
from include.page_data.calendar import DateVerdict, read_latest_dates
from include.page_data.needing import lacking_since, read_needing
from include.page_data.signed_months import read_months_needing
from include.page_data.waiting import Waiting, read_waiting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from psycopg2.extensions import cursor as Cursor


class ProfileState(msgspec.Struct, frozen=True, kw_only=True):
    """One profile's books at a glance.

    :param latest: the newest business date that was compared; None where none was.
    :param lacking: a newer one whose verdict is due and missing.
    :param dates: how many dates need somebody; ``months``: how many signed ones do.
    :param breaks: the open ones by currency, the profile's own first; ``high``: how many are of high severity.
    :param caveat: why there may be other breaks than those.
    :param is_late: the queue was not emptied for as long as people are told of it.
    """

    profile: Profile
    latest: DateVerdict | None
    lacking: datetime.date | None
    dates: int
    months: int
    breaks: list[BreakSum]
    high: int
    caveat: Caveat | None
    waiting: Waiting
    is_late: bool

    @property
    def open_breaks(self) -> int:
        """How many breaks are open."""
        return sum(each.breaks for each in self.breaks)

    @property
    def at_stake(self) -> dict[str, Decimal]:
        """What is at stake by currency, of those in which any amount is known."""
        return {each.currency: each.amount for each in self.breaks if each.unknown < each.breaks}

    @property
    def unknown(self) -> int:
        """Of how many breaks no amount is known."""
        return sum(each.unknown for each in self.breaks)

    @property
    def needs_somebody(self) -> bool:
        """Whether anything is wrong, or not known, that does not pass by itself.

        What the next drain or re-read sees to does not count: a doubt that is re-read, a poll that was left open.
        """
        waiting = self.waiting
        is_known = self.latest is not None and waiting.first_poll is not None
        waits = waiting.unproven or waiting.quarantined or waiting.unparsed or waiting.undrained
        return bool(not is_known or self.dates or self.months or self.open_breaks or waits or self.is_late)


def read_states(cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime) -> list[ProfileState]:
    """Return the state of each profile: first those that need somebody, with the most dates and breaks before others.

    Where nothing tells two of them apart they stay in the order that they are given in.
    """
    names = [profile.name for profile in profiles]
    latest = read_latest_dates(cursor, profiles)
    needing = read_needing(cursor, profiles, now, latest)
    months = read_months_needing(cursor, profiles, now)
    breaks = read_break_sums(cursor, profiles, BreakSelection())
    high = read_break_sums(cursor, profiles, BreakSelection(severity="high"))
    knowledge = read_knowledge(cursor, profiles, now)
    waiting = read_waiting(cursor, names, now)
    states = [
        ProfileState(
            profile=profile,
            latest=latest.get(name),
            lacking=lacking_since(latest.get(name), needing[name]),
            dates=sum(each.days for each in needing[name]),
            months=len(months[name]),
            breaks=breaks[name],
            high=sum(each.breaks for each in high[name]),
            caveat=knowledge[name].caveat,
            waiting=waiting[name],
            is_late=waiting[name].is_late(now),
        )
        for name, profile in zip(names, profiles, strict=True)
    ]
    return sorted(states, key=lambda each: (not each.needs_somebody, -each.dates, -each.high, -each.open_breaks))
