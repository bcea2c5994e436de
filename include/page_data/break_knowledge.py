"""Whether the breaks that are recorded can be all there are."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from include.page_data.statements import row_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

Caveat = Literal["nothing_compared", "ledger_empty", "backlog"]


class BreakKnowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of breaks stands on (``break_knowledge.sql``).

    :param is_compared: any date was; ``waiting``: reconciliations whose breaks are not in the list yet.
    :param ledger_empty_on: the business date of the newest reconciliation, if it found no row in the ledger.
    """

    is_compared: bool
    ledger_empty_on: datetime.date | None
    waiting: int

    @property
    def caveat(self) -> Caveat | None:
        """Why there may be other breaks than those that are recorded; None where nothing speaks for it."""
        if not self.is_compared:
            return "nothing_compared"
        if self.ledger_empty_on:
            return "ledger_empty"
        return "backlog" if self.waiting else None


def read_knowledge(cursor: Cursor, profiles: Sequence[str]) -> dict[str, BreakKnowledge]:
    """Return what each profile's list of breaks stands on."""
    return row_of_each(cursor, BreakKnowledge, "break_knowledge", profiles)
