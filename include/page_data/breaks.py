"""Breaks across days: a listing of them, and one with its evidence."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from include.page_data.listing import PAGE_ROWS, Listed, after_condition, place_name, place_values
from include.page_data.statements import row_of, statement
from include.reconciliation.break_listing import Severity, State
from include.reconciliation.item_selection import contains
from include.status_store.rows import named_rows, rows_by_profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

Order = Literal["amount", "age", "category"]
# What a person decides of breaks, as their history calls it.
Decided = Literal["accepted", "reopened", "commented"]

# What each order begins with by nature: the largest amount, the oldest break.
_ORDERS: dict[Order, Sequence[str]] = {
    "amount": ("break.amount", "break.break_id"),
    "age": ("break.business_date", "break.break_id"),
    "category": ("break.category", "break.business_date", "break.break_id"),
}


class BreakSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Breaks of one profile and state; None does not filter.

    :param first_from: the earliest business date that they are first seen on; ``first_to``: the latest.
    :param shown_by: a reconciliation: only breaks of the invoices that differ in it, under any of their names.
    :param text: what is in the invoice number or the jobid.
    """

    state: State = "open"
    category: str | None = None
    severity: Severity | None = None
    currency: str | None = None
    first_from: datetime.date | None = None
    first_to: datetime.date | None = None
    shown_by: int | None = None
    text: str | None = None
    order: Order = "amount"
    is_descending: bool = True

    @property
    def keys(self) -> Sequence[str]:
        """SQL expressions that order the breaks, each in its own place."""
        return _ORDERS[self.order]

    @property
    def is_filtered(self) -> bool:
        """Whether not all breaks of the state are meant."""
        return any((
            self.category, self.severity, self.currency, self.first_from, self.first_to, self.shown_by, self.text,
        ))  # fmt: skip

    def ordering(self) -> str:
        """Return the ORDER BY clause."""
        direction = " DESC" if self.is_descending else ""
        return "ORDER BY " + ", ".join(f"{key}{direction}" for key in self.keys)

    def conditions(self) -> str:
        """Return SQL that goes into a WHERE, of the breaks as ``break``."""
        found = ["break.state = %(state)s"]
        if self.category:
            found.append("break.category = %(category)s")
        if self.severity:
            found.append("break.severity = %(severity)s")
        if self.currency:
            found.append("break.currency = %(currency)s")
        if self.first_from:
            found.append("break.business_date >= %(first_from)s")
        if self.first_to:
            found.append("break.business_date <= %(first_to)s")
        if self.shown_by:
            found.append(f"break.invoice_key IN ({statement('shown_by')})")
        if self.text:
            found.append("(break.billnum ILIKE %(pattern)s OR break.jobid ILIKE %(pattern)s)")
        return " AND ".join(found)

    def parameters(self) -> dict[str, object]:
        """Return what stands in :meth:`conditions`."""
        return {
            "state": self.state,
            "category": self.category,
            "severity": self.severity,
            "currency": self.currency,
            "first_from": self.first_from,
            "first_to": self.first_to,
            "shown_by": self.shown_by,
            "pattern": contains(self.text or ""),
        }

    def in_words(self) -> dict[str, str]:
        """Return what was filtered by, by name."""
        named = {
            "state": self.state,
            "category": self.category,
            "severity": self.severity,
            "currency": self.currency,
            "first seen from": self.first_from,
            "first seen to": self.first_to,
            "reconciliation": self.shown_by,
            "text": self.text,
        }
        return {name: str(value) for name, value in named.items() if value}


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A break as of today (``breaks.sql``).

    :param evidence: both sides' states and amounts when it was last seen.
    :param hint: a near miss of its number on the other side, if there was one then.
    :param shown_in: the reconciliation that saw it last, and ``shown_on`` that one's date, where the break's own date
        was never compared by itself.
    """

    break_id: int
    invoice_key: str
    billnum: str | None
    jobid: str | None
    category: str
    reason: str | None
    state: State
    severity: Severity
    age_days: int
    business_date: datetime.date
    currency: str
    amount: Decimal
    evidence: dict[str, Any]
    hint: str | None
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    times_seen: int
    accepted_at: datetime.datetime | None
    accepted_by: str | None
    accepted_note: str | None
    resolved_at: datetime.datetime | None
    shown_in: int | None
    shown_on: datetime.date | None


class BreakSum(msgspec.Struct, frozen=True, kw_only=True):
    """Breaks of one currency, and what is at stake in them (``break_sums.sql``); not known of ``unknown`` ones."""

    currency: str
    breaks: int
    amount: Decimal
    unknown: int


class BreakCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many breaks there are by state, and the newest event of any (``break_counts.sql``)."""

    states: dict[str, int]
    newest_event: int


def count_decided(
    cursor: Cursor,
    profile: str,
    *,
    by: str,
    kind: Decided,
    since: int,
    break_id: int | None = None,
) -> int:
    """Return how many of a profile's breaks a person has decided this way since the event ``since``.

    :param break_id: count only this one.
    """
    values = {"profile": profile, "by": by, "kind": kind, "since": since, "break_id": break_id}
    cursor.execute(statement("decided"), values)
    [(number,)] = cursor.fetchall()
    return int(number)


def count_breaks(cursor: Cursor, profile: str) -> BreakCounts:
    """Count a profile's breaks."""
    return row_of(cursor, BreakCounts, "break_counts", {"profile": profile})


def read_breaks(cursor: Cursor, profile: str, selection: BreakSelection, *, after: str | None = None) -> Listed[Break]:
    """Return a page of the breaks that a selection means.

    :param after: where the page begins; by default with the first.
    :raises InvalidPlaceError: if ``after`` names no place.
    """
    text, parameters = breaks_statement(profile, selection, after=after)
    breaks = _read(cursor, text, parameters)
    if len(breaks) <= PAGE_ROWS:
        return Listed(rows=breaks, after=None)
    last = breaks[PAGE_ROWS - 1]
    place = place_name([getattr(last, key.removeprefix("break.")) for key in selection.keys])
    return Listed(rows=breaks[:PAGE_ROWS], after=place)


def breaks_statement(
    profile: str, selection: BreakSelection, *, after: str | None = None
) -> tuple[str, dict[str, object]]:
    """Return the statement of :func:`read_breaks` with its parameters."""
    parameters = {"profile": profile, **selection.parameters()}
    conditions = selection.conditions()
    if after:
        conditions += f" AND {after_condition(selection.keys, is_descending=selection.is_descending)}"
        parameters |= place_values(after, selection.keys)
    return f"{statement('breaks')} AND {conditions} {selection.ordering()} LIMIT {PAGE_ROWS + 1}", parameters


def export_statement(profile: str, selection: BreakSelection) -> tuple[str, dict[str, object]]:
    """Return the statement for the CSV of all that a selection means, with its parameters."""
    breaks = statement("export_breaks").format(breaks="ropo.break_today")
    text = f"{breaks} AND {selection.conditions()} {selection.ordering()}"
    return text, {"profile": profile, **selection.parameters()}


def read_break_sums(
    cursor: Cursor, profiles: Sequence[Profile], selection: BreakSelection
) -> dict[str, list[BreakSum]]:
    """Return how many breaks of each profile a selection means and their money by currency, the profile's own first."""
    names = [profile.name for profile in profiles]
    cursor.execute(*break_sums_statement(names, selection))
    own = {profile.name: profile.currency for profile in profiles}
    return {
        name: sorted(
            (msgspec.convert(row, BreakSum) for row in rows),
            key=lambda each: (each.currency != own[name], each.currency),
        )
        for name, rows in rows_by_profile(cursor, names).items()
    }


def break_sums_statement(profiles: Sequence[str], selection: BreakSelection) -> tuple[str, dict[str, object]]:
    """Return the statement of :func:`read_break_sums` with its parameters."""
    text = f"{statement('break_sums')} AND {selection.conditions()} GROUP BY break.profile, break.currency"
    return text, {"profiles": list(profiles), **selection.parameters()}


def read_break(cursor: Cursor, profile: str, break_id: int) -> Break | None:
    """Return one break of a profile; None where it has none of that id."""
    found = _read(
        cursor, f"{statement('breaks')} AND break.break_id = %(break_id)s", {"profile": profile, "break_id": break_id}
    )
    return found[0] if found else None


def read_breaks_of_invoice(cursor: Cursor, profile: str, invoice_key: str) -> list[Break]:
    """Return the breaks of a profile's invoice, those under its former names too, those that stand first."""
    text = (
        f"{statement('breaks')} AND break.break_id IN ({statement('invoice_breaks')}) "
        "ORDER BY break.state = 'resolved', break.break_id DESC"
    )
    return _read(cursor, text, {"profile": profile, "invoice_key": invoice_key})


def _read(cursor: Cursor, text: str, parameters: dict[str, object]) -> list[Break]:
    cursor.execute(text, parameters)
    return [msgspec.convert(row, Break) for row in named_rows(cursor)]
