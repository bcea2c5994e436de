"""Breaks that a reconciliation has recorded and that are open no more: it is never changed by what is decided later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.page_data.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import cursor as Cursor

# Of a reconciliation with more breaks, or accepted ones (open_again.py), nothing is counted.
MOST_BREAKS = 1000


def count_no_longer_open(cursor: Cursor, reconciliation_ids: Iterable[int]) -> dict[int, int]:
    """Return by reconciliation how many of its breaks were accepted, or mended, since; none where there is none."""
    cursor.execute(statement("no_longer_open"), {"reconciliation_ids": list(reconciliation_ids), "most": MOST_BREAKS})
    return dict(cursor.fetchall())
