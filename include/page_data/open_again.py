"""Breaks that reconciliations have recorded as accepted and that are open: what is decided later never changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.page_data.no_longer_open import MOST_BREAKS
from include.page_data.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from psycopg2.extensions import cursor as Cursor

    from include.page_data.calendar import DateVerdict

# Of a calendar's dates those are looked into that have so many differing invoices together, the newest before others.
MOST_INVOICES = 10_000


def count_open_again(cursor: Cursor, reconciliation_ids: Collection[int]) -> dict[int, int]:
    """Return by reconciliation how many of the breaks that stood accepted in it were opened again since."""
    if not reconciliation_ids:
        return {}
    values = {"reconciliation_ids": list(reconciliation_ids), "most": MOST_BREAKS}
    cursor.execute(statement("open_again"), values)
    return dict(cursor.fetchall())


def count_open_again_of(cursor: Cursor, dates: Iterable[DateVerdict]) -> dict[int, int]:
    """Return the same of dates' latest reconciliations, but of those that say already that they have breaks."""
    chosen: set[int] = set()
    left = MOST_INVOICES
    for date in sorted(dates, key=lambda each: each.business_date, reverse=True):
        if date.accepted and date.verdict != "breaks" and date.differing <= left:
            chosen.add(date.reconciliation_id)
            left -= date.differing
    return count_open_again(cursor, chosen)
