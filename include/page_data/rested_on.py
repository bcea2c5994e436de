"""The accepted differences that a month's signature takes as they are: whoever signs must have seen them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from include.page_data.breaks import BreakSum
from include.page_data.statements import rows_of, statement
from include.reconciliation.break_listing import State
from include.status_store.rows import only_row

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.reconciliation.signing import SignOff

# So many are named, the largest first; the others are counted, and their money is summed.
NAMED = 100


class RestedBreak(msgspec.Struct, frozen=True, kw_only=True):
    """A break that a signature rests on (``rested_on.sql``).

    :param state: as it is now, whatever it was when it was signed.
    :param accepted_by: who accepted it, and ``accepted_note`` why, as it was signed.
    """

    break_id: int
    invoice_key: str
    billnum: str | None
    jobid: str | None
    category: str
    reason: str | None
    state: State
    currency: str
    amount: Decimal
    accepted_by: str | None
    accepted_note: str | None


class RestedOn(msgspec.Struct, frozen=True, kw_only=True):
    """All that a signature rests on.

    :param break_ids: of all of them.
    :param sums: by currency, the profile's own first.
    :param named: the largest :data:`NAMED`.
    """

    break_ids: frozenset[int]
    sums: list[BreakSum]
    named: list[RestedBreak]

    @property
    def breaks(self) -> int:
        """How many they are."""
        return sum(each.breaks for each in self.sums)

    @property
    def unknown(self) -> int:
        """Of how many it is not known what is at stake."""
        return sum(each.unknown for each in self.sums)


def read_rested_on(
    cursor: Cursor, profile: Profile, break_ids: Collection[int], *, by_then: datetime.datetime | None = None
) -> RestedOn:
    """Return what rests on these breaks.

    :param by_then: when it was signed; by default it is not signed yet.
    """
    values = {"profile": profile.name, "break_ids": list(break_ids), "by_then": by_then or "infinity", "most": NAMED}
    sums = rows_of(cursor, BreakSum, "rested_on_sums", values)
    return RestedOn(
        break_ids=frozenset(break_ids),
        sums=sorted(sums, key=lambda each: (each.currency != profile.currency, each.currency)),
        named=rows_of(cursor, RestedBreak, "rested_on", values),
    )


def read_signed(cursor: Cursor, profile: Profile, sign_off: SignOff) -> RestedOn:
    """Return what a signature rests on, by its evidence."""
    cursor.execute(statement("signed_breaks"), {"sign_off_id": sign_off.sign_off_id})
    [break_ids] = only_row(cursor)
    return read_rested_on(cursor, profile, break_ids, by_then=sign_off.signed_at)
