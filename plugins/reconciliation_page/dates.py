"""A business date: its verdict and why, the totals that tie, what changed since it was compared before, its items."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, status
from fastapi.responses import HTMLResponse, Response

from include.config.business_dates import FIRST_DATE, LAST_DATE
from include.page_data.dates import (
    Reconciliation,
    is_compared_again,
    read_changes,
    read_items,
    read_money,
    read_reconciliations,
)
from include.page_data.listing import page_or_first
from include.page_data.no_longer_open import MOST_BREAKS, count_no_longer_open
from include.page_data.open_again import count_open_again
from include.page_data.past_grace import count_past_grace
from include.page_data.shown_by import count_open
from include.reconciliation.categories import CATEGORIES, MATCHED, reason_in_words
from include.reconciliation.export import export_items
from include.reconciliation.item_selection import ItemSelection, Order, State, order_of
from reconciliation_page.downloads import DIALECTS, download
from reconciliation_page.page import PageOf
from reconciliation_page.parameters import (
    CategoryInQuery,
    DateInPath,
    DecimalInQuery,
    Direction,
    IdInQuery,
    InAddress,
    Place,
    SeverityInQuery,
    Text,
)
from reconciliation_page.stores import Reading
from reconciliation_page.words import ITEM_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

router = APIRouter()

# Beyond so many differing invoices what changed is counted when it is asked for, and not by itself.
COMPARED_BY_ITSELF = 5_000
# How a state of items is called in the counts of a reconciliation.
_BUCKETS = {"break": ("breaks",), "pending": ("pending",), "accepted": ("accepted",), "matched": ()}
_DAY = datetime.timedelta(days=1)
_NATURAL = {"amount": "desc", "invoice": "asc", "category": "asc"}


@dataclass(frozen=True)
class ItemChoice(InAddress):
    """The filters of a date's items, as they stand in its address."""

    state: Annotated[State, Query()] = "differing"
    category: CategoryInQuery = ""
    severity: SeverityInQuery = ""
    text: Text = ""
    order: Annotated[Order, Query()] = "amount"
    direction: Direction = ""

    def selection(self) -> ItemSelection:
        """Return the items that are meant."""
        order = order_of(self.state, self.order)
        return ItemSelection(
            state=self.state,
            category=self.category or None,
            severity=self.severity or None,
            text=self.text.strip() or None,
            order=order,
            is_descending=(self.direction or _NATURAL[order]) == "desc",
        )


ChoiceOf = Annotated[ItemChoice, Depends()]


@router.get("/dates")
def find_date(page: PageOf, date: Annotated[datetime.date, Query()]) -> Any:
    """Go to a date that was typed."""
    return page.go_to(f"dates/{date}")


@router.get("/dates/{date}")
def show_date(
    page: PageOf,
    cursor: Reading,
    date: DateInPath,
    choice: ChoiceOf,
    reconciliation: IdInQuery = None,
    compared: IdInQuery = None,
    after: Place = "",
) -> HTMLResponse:
    """Show a date.

    :param reconciliation: one of its reconciliations; by default the newest of the date itself, not of a full one.
    :param compared: the earlier one that it is compared with; by default the one before it.
    :param after: where the page of items begins.
    """
    every = read_reconciliations(cursor, page.profile.name, date)
    before = date - _DAY if date > FIRST_DATE else None
    following = date + _DAY if date < LAST_DATE else None
    newest = _newest(every)
    shown = _chosen(every, reconciliation) if reconciliation else newest
    if shown is None:
        return page.render(
            "date_empty.html", date=date, today=page.today, before=before, following=following, full=every[:1]
        )
    earlier = [each for each in every if each.scope == shown.scope and each.reconciliation_id < shown.reconciliation_id]
    against = _chosen(earlier, compared) if compared else next(iter(earlier), None)
    is_small = against is not None and max(against.differing, shown.differing) <= COMPARED_BY_ITSELF
    changes = None
    if against is not None and (compared or is_small):
        changes = read_changes(cursor, against.reconciliation_id, shown.reconciliation_id)
    selection = choice.selection()
    items, is_gone = page_or_first(
        lambda place: read_items(cursor, page.profile.name, shown.reconciliation_id, selection, after=place), after
    )
    is_newest = shown is newest
    # An earlier one is evidence of its day; what was decided since is told of the newest of its kind.
    is_of_now = shown is next(each for each in every if each.scope == shown.scope)
    of_now = [shown.reconciliation_id] if is_of_now else []
    closed, open_again = count_no_longer_open(cursor, of_now), count_open_again(cursor, of_now)
    # A full comparison's invoices are compared again with their dates.
    past_grace = count_past_grace(cursor, {shown.reconciliation_id: page.now}) if is_newest and shown.pending else {}
    return page.render(
        "date.html",
        date=date,
        today=page.today,
        shown=shown,
        is_newest=is_newest,
        has_newest=newest is not None,
        closed=closed.get(shown.reconciliation_id, 0),
        open_again=open_again.get(shown.reconciliation_id, 0),
        is_uncounted=is_of_now and shown.accepted > MOST_BREAKS,
        is_compared_again=shown.scope == "full" or is_compared_again(page.profile, shown, page.now),
        past_grace=past_grace.get(shown.reconciliation_id, 0),
        open_now=count_open(cursor, page.profile, shown),
        money_lines=read_money(cursor, shown),
        every=every,
        against=against,
        changes=changes,
        choice=choice,
        selection=selection,
        items=items,
        is_continued=bool(after) and not is_gone,
        is_gone=is_gone,
        categories=_counted(shown, choice),
        states=ITEM_STATES,
        reason_in_words=reason_in_words,
        here=f"dates/{date}",
        anchor="#items",
        # Whatever is compared meanwhile, the links go on with what the reader sees.
        named=shown.reconciliation_id,
        before=before,
        following=following,
    )


@router.get("/dates/{date}/items.csv")
def date_csv(
    page: PageOf,
    cursor: Reading,
    date: DateInPath,
    choice: ChoiceOf,
    reconciliation: IdInQuery = None,
    decimal: DecimalInQuery = "point",
) -> Response:
    """Return the same items as CSV, all pages of them."""
    every = read_reconciliations(cursor, page.profile.name, date)
    shown = _chosen(every, reconciliation) if reconciliation else _newest(every)
    if shown is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"{date} was never compared by itself.")
    what = "full-comparison" if shown.scope == "full" else "reconciliation"

    def export(connection: Connection) -> Iterator[str]:
        return export_items(
            connection,
            page.profile,
            reconciliation_id=shown.reconciliation_id,
            selection=choice.selection(),
            dialect=DIALECTS[decimal],
        )

    return download(export, f"{what}-{page.profile.name}-{date}-{shown.reconciliation_id}", decimal)


def _counted(shown: Reconciliation, choice: ItemChoice) -> dict[str, int]:
    """How many items of each category the chosen state has; those without any are left out, but for the chosen one."""
    found = {}
    for name in CATEGORIES:
        buckets = shown.categories.get(name, {})
        number = sum(buckets.get(bucket, 0) for bucket in _BUCKETS.get(choice.state, buckets))
        if name != MATCHED and (number or name == choice.category):
            found[name] = number
    return found


def _newest(every: list[Reconciliation]) -> Reconciliation | None:
    """The newest of the date itself: a full comparison read no change of the date and says nothing of it."""
    return next((each for each in every if each.scope == "date"), None)


def _chosen(every: list[Reconciliation], reconciliation_id: int) -> Reconciliation:
    found = next((each for each in every if each.reconciliation_id == reconciliation_id), None)
    if found is None:
        raise HTTPException(
            status.HTTP_404_NOT_FOUND, f"There is no reconciliation {reconciliation_id} of this date and profile here."
        )
    return found
