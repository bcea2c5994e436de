"""Which items of a reconciliation are meant, and in which order: for a listing and for the CSV of the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from include.reconciliation.break_listing import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["differing", "break", "pending", "accepted", "matched", "all"]
Order = Literal["amount", "invoice", "category"]

AT_STAKE = (
    "ropo.amount_at_stake(item.ropo_paid, item.ropo_discount, item.ledger_paid, item.ledger_discount, "
    "item.ledger_total, item.ledger_credited, item.ledger_open)"
)
# The words of the partial indexes stand in each, so that PostgreSQL sees that they serve.
_DIFFERING = "item.category <> 'matched'"
_STATES: dict[State, str] = {
    "differing": _DIFFERING,
    "break": f"{_DIFFERING} AND item.pending_until IS NULL AND NOT item.is_accepted",
    "pending": f"{_DIFFERING} AND item.pending_until IS NOT NULL",
    "accepted": f"{_DIFFERING} AND item.is_accepted",
    "matched": "item.category = 'matched'",
    "all": "true",
}
_ORDERS: dict[Order, Sequence[str]] = {
    "amount": (AT_STAKE, "item.invoice_key"),
    "invoice": ("item.invoice_key",),
    "category": ("item.category", "item.invoice_key"),
}
_CONTAINS = "(item.billnum ILIKE %(pattern)s OR item.jobid ILIKE %(pattern)s)"
# Among all items a number is only looked up: to search in them would be to read them all.
_IS = """item.invoice_key = ANY (ARRAY(
    SELECT invoice_key FROM ropo.items_of_number(%(profile)s, %(text)s)
    WHERE reconciliation_id = %(reconciliation_id)s
    UNION
    SELECT invoice_key FROM ropo.reconciliation_item
    WHERE reconciliation_id = %(reconciliation_id)s AND profile = %(profile)s AND jobid = %(text)s
))"""


def may_be_matched(state: State) -> bool:
    """Tell whether items of a state may be matched ones."""
    return state in ("matched", "all")


def order_of(state: State, order: Order) -> Order:
    """Return the order in which items of a state can stand: matched ones have nothing at stake."""
    return "invoice" if may_be_matched(state) and order == "amount" else order


class ItemSelection(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one reconciliation; None does not filter.

    :param severity: of the item's break, as of today; items without one have none.
    :param text: what is in the invoice number or the jobid; among matched items the whole of either.
    :param order: by the amount at stake (largest first), by invoice or by category. Matched items have nothing at
        stake: with them by invoice.
    """

    state: State = "differing"
    category: str | None = None
    severity: Severity | None = None
    text: str | None = None
    order: Order = "amount"
    is_descending: bool = True

    @property
    def has_matched(self) -> bool:
        """Whether it may have matched items."""
        return may_be_matched(self.state)

    @property
    def keys(self) -> Sequence[str]:
        """SQL expressions that order the items, each item in its own place."""
        return _ORDERS[order_of(self.state, self.order)]

    def ordering(self) -> str:
        """Return the ORDER BY clause."""
        direction = " DESC" if self.is_descending else ""
        return "ORDER BY " + ", ".join(f"{key}{direction}" for key in self.keys)

    def conditions(self) -> str:
        """Return SQL that goes into a WHERE, of the items as ``item`` and their breaks as ``break``."""
        found = [_STATES[self.state]]
        if self.category:
            found.append("item.category = %(category)s")
        if self.severity:
            found.append("break.severity = %(severity)s")
        if self.text:
            found.append(_IS if self.has_matched else _CONTAINS)
        return " AND ".join(found)

    def parameters(self) -> dict[str, Any]:
        """Return what stands in :meth:`conditions`, but for profile and reconciliation."""
        return {
            "category": self.category,
            "severity": self.severity,
            "text": self.text,
            "pattern": contains(self.text or ""),
        }

    def in_words(self) -> dict[str, str]:
        """Return what was filtered by, by name."""
        named = {"state": self.state, "category": self.category, "severity": self.severity, "text": self.text}
        return {name: value for name, value in named.items() if value}


def contains(text: str) -> str:
    """Return the LIKE pattern of texts that contain this one."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
