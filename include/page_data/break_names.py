"""What became of breaks whose invoice goes by another name now: they are resolved, and may stand all the same."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.page_data.statements import rows_of
from include.reconciliation.break_listing import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import cursor as Cursor


class StandsAs(msgspec.Struct, frozen=True, kw_only=True):
    """Under which break a resolved one stands still (``break_names.sql``).

    :param former_id: the resolved one's id; ``break_id`` and ``state``: of the one that stands.
    """

    former_id: int
    break_id: int
    state: State
    accepted_at: datetime.datetime | None


def read_standing(cursor: Cursor, resolved: Iterable[int]) -> dict[int, StandsAs]:
    """Return of resolved breaks, by their ids, those that stand under the name that their invoice goes by since."""
    break_ids = list(resolved)
    if not break_ids:
        return {}
    return {each.former_id: each for each in rows_of(cursor, StandsAs, "break_names", {"break_ids": break_ids})}
