"""Whether the breaks that are recorded can be all there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from include.page_data.statements import row_of

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

# A ledger that shows no row at all opens no break; a comparison's breaks may be recorded a little after it.
Caveat = Literal["nothing_compared", "ledger_empty", "backlog"]


class _Unknown(msgspec.Struct, frozen=True):
    is_nothing_compared: bool
    is_ledger_empty: bool
    has_backlog: bool


def read_caveat(cursor: Cursor, profile: str) -> Caveat | None:
    """Return why a profile's breaks may be other than those that are recorded; None where nothing speaks for it."""
    found = row_of(cursor, _Unknown, "unknown_breaks", {"profile": profile})
    if found is None:
        raise LookupError("unknown_breaks.sql gave no row")
    if found.is_nothing_compared:
        return "nothing_compared"
    if found.is_ledger_empty:
        return "ledger_empty"
    return "backlog" if found.has_backlog else None
