"""The signed months that are flagged where a person opens accepted breaks again, by the definition that flags them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.reconciliation.statements import statement
from include.status_store.rows import structs

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg2.extensions import cursor as Cursor


class TouchedMonth(msgspec.Struct, frozen=True, kw_only=True):
    """A signed month that opening a break again would flag.

    :param period: its first day.
    :param signed_by: and ``countersigned_by``: of its newest sign-off.
    """

    break_id: int
    period: datetime.date
    signed_by: str
    countersigned_by: str | None


def months_touched(cursor: Cursor, profile: str, break_ids: Collection[int]) -> dict[int, list[TouchedMonth]]:
    """Return by break the months that :func:`.break_states.open_again` would flag; none where there is none.

    :param break_ids: of accepted breaks; those of another profile touch none.
    """
    parts = {name: statement(name) for name in ("months_touched", "names_accepted")}
    values = {"profile": profile, "break_ids": list(break_ids)}
    cursor.execute(statement("months_resting_on").format(**parts), values)
    found: dict[int, list[TouchedMonth]] = {}
    for each in structs(cursor, TouchedMonth):
        found.setdefault(each.break_id, []).append(each)
    return found
