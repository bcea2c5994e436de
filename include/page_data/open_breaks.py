"""Open breaks by category and age, and the money at stake."""

from __future__ import annotations

import datetime
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from include.page_data.statements import rows_of
from include.reconciliation.categories import CATEGORIES

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# After the ages that the profile's severity names: this many times the older one.
_VERY_OLD = 3


class _Group(msgspec.Struct, frozen=True):
    category: str
    currency: str
    age_group: int
    breaks: int
    amount: Decimal
    unknown: int
    oldest: datetime.date


class AgeGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Ages in days, from ``youngest`` to ``oldest``; the last group has no oldest."""

    youngest: int
    oldest: int | None


class OpenBreaks(msgspec.Struct, frozen=True, kw_only=True):
    """The open breaks of a profile.

    :param ages: the groups of age, the youngest first.
    :param by_category: category to the number of breaks in each group of age; only those that have any.
    :param at_stake: currency to amount, of those in which one is known; of ``unknown`` ones none is.
    :param oldest: the earliest business date of one.
    """

    ages: list[AgeGroup]
    by_category: dict[str, list[int]]
    at_stake: dict[str, Decimal]
    unknown: int
    oldest: datetime.date | None

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(map(sum, self.by_category.values()))


def read_open_breaks(cursor: Cursor, profile: Profile, today: datetime.date) -> OpenBreaks:
    """Return the open breaks of a profile.

    :param today: the market's day, from which ages count.
    """
    severity = profile.severity
    ages = sorted({severity.medium_age_days, severity.high_age_days, _VERY_OLD * severity.high_age_days} - {0})
    groups = rows_of(cursor, _Group, "open_breaks", {"profile": profile.name, "today": today, "ages": ages})
    counts: Counter[tuple[str, int]] = Counter()
    at_stake: dict[str, Decimal] = {}
    for group in groups:
        counts[group.category, group.age_group] += group.breaks
        if group.unknown < group.breaks:
            at_stake[group.currency] = at_stake.get(group.currency, Decimal(0)) + group.amount
    known = {group.category for group in groups}
    return OpenBreaks(
        ages=[
            AgeGroup(youngest=youngest, oldest=following - 1 if following else None)
            for youngest, following in zip([0, *ages], [*ages, None], strict=True)
        ],
        by_category={
            name: [counts[name, place] for place in range(len(ages) + 1)] for name in CATEGORIES if name in known
        },
        at_stake=dict(sorted(at_stake.items(), key=lambda each: (each[0] != profile.currency, each[0]))),
        unknown=sum(group.unknown for group in groups),
        oldest=min((group.oldest for group in groups), default=None),
    )
