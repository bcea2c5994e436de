"""Breaks that a reconciliation has recorded as accepted and that are open: what is decided later never changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.page_data.no_longer_open import MOST_BREAKS
from include.page_data.statements import statement
from include.status_store.rows import only_row

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor


def count_open_again(cursor: Cursor, reconciliation_id: int) -> int:
    """Return how many of the breaks that stood accepted in a reconciliation were opened again since."""
    values = {"reconciliation_id": reconciliation_id, "most": MOST_BREAKS}
    cursor.execute(statement("open_again"), values)
    return int(only_row(cursor)[0])
