"""Invoices that were recorded as pending and whose grace is over, where nothing has compared their date since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.page_data.statements import statement

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

# Of one reconciliation up to so many are counted: the page need not wait for more.
MOST_PAST_GRACE = 1000


def count_past_grace(cursor: Cursor, moments: Mapping[int, datetime.datetime]) -> dict[int, int]:
    """Return by reconciliation of how many of its pending invoices the grace is over; none where there is none.

    :param moments: by reconciliation, each the newest of its date, the moment by which the grace was over.
    """
    if not moments:
        return {}
    values = {"reconciliation_ids": list(moments), "moments": list(moments.values()), "most": MOST_PAST_GRACE}
    cursor.execute(statement("past_grace"), values)
    return dict(cursor.fetchall())


def has_more_past_grace(number: int) -> bool:
    """Tell whether there may be more of a reconciliation than were counted."""
    return number == MOST_PAST_GRACE
