"""The accepted differences that a month's signature takes as they are: whoever signs must have seen them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from include.page_data.break_names import read_standing
from include.page_data.breaks import BreakSum
from include.page_data.statements import statement
from include.reconciliation.break_history import event_in_words
from include.reconciliation.break_listing import State
from include.status_store.rows import Row, named_rows

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.reconciliation.signing import SignOff

# So many are named, the largest first; the others are counted, and their money is summed.
NAMED = 100


class RestedBreak(msgspec.Struct, frozen=True, kw_only=True):
    """A break that a signature rests on (``rested_on.sql``), with the money and the words that were signed.

    :param state: as it is now, under another name of the invoice too, whatever it was when it was signed;
        ``is_accepted_anew``: since then.
    :param accepted_by: who accepted it, and ``accepted_note`` why.
    """

    break_id: int
    invoice_key: str
    billnum: str | None
    jobid: str | None
    category: str
    reason: str | None
    state: State
    is_accepted_anew: bool
    currency: str
    amount: Decimal
    accepted_by: str | None
    accepted_note: str | None


class RestedOn(msgspec.Struct, frozen=True, kw_only=True):
    """All that a signature rests on.

    :param acceptances: the id of each break with the event by which it stood accepted; accepted anew it has another.
    :param sums: by currency, the profile's own first.
    :param named: the largest :data:`NAMED`.
    """

    acceptances: frozenset[tuple[int, int]]
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
    cursor: Cursor,
    profile: Profile,
    acceptances: Collection[tuple[int, int]],
    *,
    by_then: datetime.datetime | None = None,
) -> RestedOn:
    """Return what rests on these acceptances of breaks.

    :param by_then: when it was signed; by default it is not signed yet.
    """
    values = _values(profile, acceptances, by_then) | {"most": NAMED}
    sums = _of_rested_on(cursor, BreakSum, "rested_on_sums", values)
    return RestedOn(
        acceptances=frozenset(acceptances),
        sums=sorted(sums, key=lambda each: (each.currency != profile.currency, each.currency)),
        named=_as_they_stand(cursor, _named(cursor, values), by_then),
    )


def read_signed(cursor: Cursor, profile: Profile, sign_off: SignOff) -> RestedOn:
    """Return what a signature rests on, by its evidence."""
    return read_rested_on(cursor, profile, read_acceptances(cursor, sign_off), by_then=sign_off.signed_at)


def read_acceptances(cursor: Cursor, sign_off: SignOff) -> list[tuple[int, int]]:
    """Return the id of each break that a signature rests on, with the event by which it stood accepted then."""
    cursor.execute(statement("signed_breaks"), {"sign_off_id": sign_off.sign_off_id})
    return cursor.fetchall()


def export_statement(
    profile: Profile, acceptances: Collection[tuple[int, int]], by_then: datetime.datetime | None
) -> tuple[str, dict[str, Any]]:
    """Return the statement for the CSV of all that rests on these acceptances, the largest first, with its parameters.

    :param by_then: as of :func:`read_rested_on`.
    """
    breaks = statement("rested_on_today").format(rested_on=statement("rested_on"))
    text = statement("export_breaks").format(breaks=f"({breaks})")
    return f"{text} ORDER BY break.amount DESC, break.break_id", _values(profile, acceptances, by_then)


def _values(
    profile: Profile, acceptances: Collection[tuple[int, int]], by_then: datetime.datetime | None
) -> dict[str, Any]:
    break_ids = [break_id for break_id, _ in acceptances]
    return {"profile": profile.name, "break_ids": break_ids, "by_then": by_then or "infinity"}


def _named(cursor: Cursor, values: dict[str, Any]) -> list[RestedBreak]:
    found = []
    for each in _of_rested_on(cursor, RestedBreak, "rested_on_named", values):
        # An acceptance that went over from the invoice's former name is on record as the program's.
        by, note = event_in_words("accepted", each.accepted_by or "", each.accepted_note, each.category)
        found.append(msgspec.structs.replace(each, accepted_by=by or None, accepted_note=note))
    return found


def _as_they_stand(cursor: Cursor, named: list[RestedBreak], by_then: datetime.datetime | None) -> list[RestedBreak]:
    standing = read_standing(cursor, (each.break_id for each in named if each.state == "resolved"))
    found = []
    for each in named:
        if now := standing.get(each.break_id):
            # An acceptance that went over to the new name is as old as it was.
            accepted_at = now.accepted_at if now.state == "accepted" else None
            is_anew = by_then is not None and accepted_at is not None and accepted_at > by_then
            found.append(msgspec.structs.replace(each, state=now.state, is_accepted_anew=is_anew))
        else:
            found.append(each)
    return found


def _of_rested_on(cursor: Cursor, kind: type[Row], name: str, values: dict[str, Any]) -> list[Row]:
    cursor.execute(statement(name).format(rested_on=statement("rested_on")), values)
    return [msgspec.convert(row, kind) for row in named_rows(cursor)]
