"""Breaks across days, as people ask for them: a list, and the history of one."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from include.reconciliation.statements import statement
from include.status_store.rows import structs

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

State = Literal["open", "accepted", "resolved"]
Severity = Literal["low", "medium", "high"]


class BreakFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which breaks of a profile; None does not filter."""

    profile: str
    state: State | None = "open"
    category: str | None = None
    severity: Severity | None = None
    billnum: str | None = None


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``ropo.break_today``; its fields are the view's."""

    break_id: int
    profile: str
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
    first_seen: datetime.datetime
    last_seen: datetime.datetime
    times_seen: int
    accepted_by: str | None
    accepted_note: str | None


class BreakEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A row of ``ropo.reconciliation_break_event``, with the break's category."""

    event_id: int
    at: datetime.datetime
    by_whom: str
    kind: str
    note: str | None
    reconciliation_id: int | None
    category: str


def list_breaks(cursor: Cursor, asked: BreakFilter, *, limit: int | None = None) -> list[Break]:
    """Return breaks, the most severe first, then the largest.

    Amounts of several currencies are set in one order, never added.
    """
    cursor.execute(statement("list_breaks"), {**msgspec.structs.asdict(asked), "limit": limit})
    return structs(cursor, Break)


def history_of(cursor: Cursor, break_id: int) -> list[BreakEvent]:
    """Return everything that happened to a break, oldest first; nothing where there is no such break."""
    cursor.execute(
        f"SELECT {', '.join(BreakEvent.__struct_fields__)} "  # noqa: S608 - our own field names
        "FROM ropo.reconciliation_break_event JOIN ropo.reconciliation_break USING (break_id) "
        "WHERE break_id = %s ORDER BY event_id",
        (break_id,),
    )
    return structs(cursor, BreakEvent)
