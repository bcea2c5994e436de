"""Whether the breaks that are recorded can be all there are."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from include.config.wording import counted
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

    def in_words(self) -> list[str]:
        """Return what stands against the list, a sentence each; none where there is no caveat."""
        found = []
        if not self.is_compared:
            found.append("No date was compared yet.")
        if self.ledger_empty_on:
            found.append(
                f"The newest reconciliation, of {self.ledger_empty_on}, found no row at all in the ledger, and such a "
                "one opens and closes no break, whatever differs."
            )
        if self.waiting:
            waiting = counted(self.waiting, "reconciliation waits", "reconciliations wait")
            found.append(f"{waiting} to be taken into this list; the next comparison does so.")
        return found


def read_knowledge(cursor: Cursor, profiles: Sequence[str]) -> dict[str, BreakKnowledge]:
    """Return what each profile's list of breaks stands on."""
    return row_of_each(cursor, BreakKnowledge, "break_knowledge", profiles)
