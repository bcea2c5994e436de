"""Months that were signed off: which of them have changed since, and the alerts about these."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.wording import counted
from include.status_store.rows import rows_by_profile
from include.watch.alert import Matter
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_NAMED_DATES = 10


class SignedPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A signed period, by its newest sign-off (``signed_periods.sql``).

    :param newest: the newest flag of what changed since; None where nothing did.
    :param results: how many flags tell of another result of a date; ``breaks``: how many of a break.
    :param dates: the business dates that they are about.
    """

    period: datetime.date
    signed_by: str
    countersigned_by: str | None
    newest: int | None
    results: int
    breaks: int
    dates: list[datetime.date]

    @property
    def is_changed(self) -> bool:
        """Whether anything changed since it was signed: then it is to be signed again."""
        return self.newest is not None


def signed_periods(cursor: Cursor, profiles: Sequence[str]) -> dict[str, list[SignedPeriod]]:
    """Return the signed periods of each profile, the oldest first."""
    cursor.execute(statement("signed_periods"), {"profiles": list(profiles)})
    found = rows_by_profile(cursor, profiles)
    return {profile: [SignedPeriod(**row) for row in rows] for profile, rows in found.items()}


class ChangedPeriods:
    """Months whose newest sign-off has flags; over when they are signed again."""

    name = "signed_period_changed"
    plural = "signed months have changed"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now
        self._changed: dict[str, SignedPeriod] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the months as subjects; what is to be told changes with every flag."""
        signed = signed_periods(cursor, [self.profile.name])[self.profile.name]
        self._changed = {f"{each.period:%Y-%m}": each for each in signed if each.is_changed}
        return {month: str(changed.newest) for month, changed in self._changed.items()}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return who signed, what changed, and what to do."""
        return [_matter(self.profile, month, self._changed[month]) for month in subjects]


def _matter(profile: Profile, month: str, changed: SignedPeriod) -> Matter:
    by = f"signed by {changed.signed_by}"
    by += f" and countersigned by {changed.countersigned_by}" if changed.countersigned_by else ""
    what = [counted(changed.results, "other result")] if changed.results else []
    what += [counted(changed.breaks, "break")] if changed.breaks else []
    dates = ", ".join(map(str, changed.dates[:_NAMED_DATES]))
    dates += f" and {len(changed.dates) - _NAMED_DATES} more" if len(changed.dates) > _NAMED_DATES else ""
    return Matter(
        title=f"{month} has changed since it was signed: {' and '.join(what)}",
        lines=(
            f"It was {by}. Business dates that changed: {dates}",
            f"`python -m include.reconciliation.sign_off status {month} --profile {profile.name}` names each change. "
            "Look at them, and sign the month again: the first signature stays on record beside it",
        ),
    )
