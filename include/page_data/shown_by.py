"""The breaks that a reconciliation shows, as they are today: the way from a date to what is still open of it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Scope
from include.page_data.breaks import BreakSelection, read_break_sums
from include.page_data.no_longer_open import MOST_BREAKS
from include.page_data.statements import rows_of

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.page_data.dates import Reconciliation


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Which reconciliation it is."""

    reconciliation_id: int
    business_date: datetime.date
    scope: Scope


def read_compared(cursor: Cursor, profile: str, reconciliation_id: int) -> Compared | None:
    """Return a profile's reconciliation by its id; None where it has none of that id."""
    values = {"profile": profile, "reconciliation_id": reconciliation_id}
    return next(iter(rows_of(cursor, Compared, "compared", values)), None)


def count_open(cursor: Cursor, profile: Profile, shown: Reconciliation) -> int | None:
    """Return how many breaks of the invoices that differ in a reconciliation are open.

    :return: None where so many differ that the page need not wait for the count.
    """
    return count_open_of(cursor, profile, shown.reconciliation_id, differing=shown.differing)


def count_open_of(cursor: Cursor, profile: Profile, reconciliation_id: int, *, differing: int) -> int | None:
    """Do the same of a reconciliation of which no more is known than how many invoices differ in it."""
    if differing > MOST_BREAKS:
        return None
    selection = BreakSelection(shown_by=reconciliation_id)
    return sum(each.breaks for each in read_break_sums(cursor, [profile], selection)[profile.name])
