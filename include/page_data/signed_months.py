"""The months of a profile that can be signed, each with its signatures, and whether it changed after them.

Whether one is changed is told as the watch tells it, by the newest sign-off's flags.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from include.config.business_dates import FIRST_DATE
from include.page_data.statements import rows_of
from include.watch.signed import signed_periods

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.watch.signed import SignedPeriod

_DAY = datetime.timedelta(days=1)


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A month that is over.

    :param period: its first day.
    :param signed_by: and ``countersigned_by``: of its newest sign-off; None where nobody did.
    :param is_changed: since that one.
    """

    period: datetime.date
    signed_by: str | None = None
    countersigned_by: str | None = None
    is_changed: bool = False

    @property
    def state(self) -> Literal["unsigned", "signed", "countersigned", "changed"]:
        """How it stands; ``signed``: by one person alone."""
        if self.is_changed:
            return "changed"
        if self.countersigned_by:
            return "countersigned"
        return "signed" if self.signed_by else "unsigned"


def read_months(cursor: Cursor, profile: Profile, now: datetime.datetime) -> list[Month]:
    """Return the months from the one of ``start_date`` to the last that is over, the newest first."""
    signed = {each.period: _of(each) for each in signed_periods(cursor, [profile.name])[profile.name]}
    return [signed.get(period) or Month(period=period) for period in _periods(profile, now)]


def read_months_needing(cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime) -> dict[str, list[Month]]:
    """Return by profile those that need somebody: first what changed since it was signed, then what one alone signed.

    One that is merely not signed is none of these: when to sign it is for people to choose.
    """
    signed = signed_periods(cursor, [profile.name for profile in profiles])
    found = {}
    for profile in profiles:
        periods = set(_periods(profile, now))
        months = [_of(each) for each in reversed(signed[profile.name]) if each.period in periods]
        found[profile.name] = [each for state in ("changed", "signed") for each in months if each.state == state]
    return found


def read_months_flagged(
    cursor: Cursor, profile: Profile, *, by: str, since: int, break_id: int | None = None
) -> list[Month]:
    """Return the signed months that a person changed by opening breaks again since an event; not those signed anew.

    :param break_id: by opening this one.
    """
    values = {"profile": profile.name, "by": by, "since": since, "break_id": break_id}
    return rows_of(cursor, Month, "months_flagged", values)


def _of(signed: SignedPeriod) -> Month:
    return Month(
        period=signed.period,
        signed_by=signed.signed_by,
        countersigned_by=signed.countersigned_by,
        is_changed=signed.is_changed,
    )


def _periods(profile: Profile, now: datetime.datetime) -> Iterator[datetime.date]:
    first = max(profile.start_date, FIRST_DATE).replace(day=1)
    period = profile.business_date(now).replace(day=1)
    while (period := (period - _DAY).replace(day=1)) >= first:
        yield period
