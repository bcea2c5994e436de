"""Which breaks of a profile are meant, as it stands in the address of their list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Query

from include.page_data.breaks import BreakSelection, Order
from include.reconciliation.break_listing import State
from reconciliation_page.parameters import (
    CategoryInQuery,
    DateOrNone,
    Direction,
    IdInQuery,
    InAddress,
    SeverityInQuery,
    Text,
)

_NATURAL = {"amount": "desc", "age": "asc", "category": "asc"}


@dataclass(frozen=True)
class BreakChoice(InAddress):
    """The filters of the breaks, as they stand in the address.

    :param first_from: the earliest date that they are first seen on; ``first_to``: the latest.
    :param shown_by: the id of a reconciliation in which their invoices differ.
    """

    state: Annotated[State, Query()] = "open"
    category: CategoryInQuery = ""
    severity: SeverityInQuery = ""
    currency: Text = ""
    first_from: DateOrNone = None
    first_to: DateOrNone = None
    shown_by: IdInQuery = None
    text: Text = ""
    order: Annotated[Order, Query()] = "amount"
    direction: Direction = ""

    def selection(self) -> BreakSelection:
        """Return the breaks that are meant."""
        return BreakSelection(
            state=self.state,
            category=self.category or None,
            severity=self.severity or None,
            currency=self.currency or None,
            first_from=self.first_from,
            first_to=self.first_to,
            shown_by=self.shown_by,
            text=self.text.strip() or None,
            order=self.order,
            is_descending=(self.direction or _NATURAL[self.order]) == "desc",
        )

    def unfiltered(self, **changed: Any) -> dict[str, Any]:
        """Return it for the address of all breaks of a state, in the same order."""
        none: dict[str, Any] = {"first_from": None, "first_to": None, "shown_by": None}
        return self.parameters(category="", severity="", currency="", text="", **none, **changed)


def _choice(choice: Annotated[BreakChoice, Depends()], date: DateOrNone = None) -> BreakChoice:
    """Return the filters. Addresses that were kept have one ``date``, which was called “since”."""
    return replace(choice, first_from=choice.first_from or date)


ChoiceOf = Annotated[BreakChoice, Depends(_choice)]
