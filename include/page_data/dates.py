"""A business date: its reconciliations, what changed between two of them, and their items."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from include.config.profiles import Scope, Verdict
from include.page_data.break_names import read_standing
from include.page_data.listing import PAGE_ROWS, Listed, after_condition, place_name, place_values
from include.page_data.statements import rows_of, statement
from include.reconciliation.item_result import other_result
from include.reconciliation.totals import Totals
from include.reconciliation.unmapped import UnmappedCode
from include.reconciliation.verdict import Reason
from include.status_store.rows import named_rows, structs

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.reconciliation.item_selection import ItemSelection

# In the order in which a controller wants to hear of them.
Change = Literal["new", "grace_over", "reopened", "other_category", "changed", "accepted", "mended", "same"]
CHANGES: tuple[Change, ...] = get_args(Change)

Kind = Literal["paid", "discount"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded reconciliation (``reconciliations.sql``); its fields are the table's.

    :param incompleteness_accepted_by: who accepted that it stays incomplete, with ``incompleteness_note``;
        ``incompleteness_accepted_of``: of which reconciliation, this one or an earlier one.
    """

    reconciliation_id: int
    business_date: datetime.date
    scope: Scope
    verdict: Verdict
    population: int
    matched: int
    pending: int
    breaks: int
    accepted: int
    out_of_scope: int
    recovered: int | None
    absent_from_reread: int | None
    second_opinions_asked: int
    second_opinions_cleared: int
    second_opinions_note: str | None
    reasons: list[Reason]
    categories: dict[str, dict[str, int]]
    totals: Totals
    unmapped: list[UnmappedCode]
    status_map_version: str
    events_cutoff: datetime.datetime | None
    ledger_cutoff: datetime.datetime
    ledger_newest_change: datetime.datetime | None
    dag_id: str | None
    run_id: str | None
    started_at: datetime.datetime
    incompleteness_accepted_by: str | None
    incompleteness_note: str | None
    incompleteness_accepted_of: int | None

    @property
    def differing(self) -> int:
        """Invoices that do not agree, for whatever reason they count or not."""
        return self.population - self.matched


class Changed(msgspec.Struct, frozen=True):
    """How many invoices took one way between two reconciliations, with some of them by their keys."""

    change: Change
    invoices: int
    examples: list[str]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice in a reconciliation, with its break as of today (``items.sql``).

    :param break_id: and ``break_state``: where it stands under another name of the invoice now, of that one.
    """

    invoice_key: str
    billnum: str | None
    jobid: str | None
    category: str
    reason: str | None
    hint: str | None
    pending_until: datetime.datetime | None
    is_accepted: bool
    currency: str
    ropo_status: str | None
    ledger_status: str | None
    ropo_paid: Decimal | None
    ropo_discount: Decimal | None
    ledger_paid: Decimal | None
    ledger_discount: Decimal | None
    ledger_total: Decimal | None
    amount: Decimal | None
    break_id: int | None
    break_state: str | None
    severity: str | None

    @property
    def state(self) -> str:
        """What it was in this reconciliation."""
        if self.category == "matched":
            return "matched"
        if self.pending_until:
            return "pending"
        return "accepted" if self.is_accepted else "break"


class _DifferingMoney(msgspec.Struct, frozen=True, kw_only=True):
    currency: str
    ropo_paid: Decimal
    ropo_discount: Decimal
    ledger_paid: Decimal
    ledger_discount: Decimal


class MoneyLine(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides' sums of one kind of money in one currency.

    :param compared: the ledger's, of one row of each invoice; ``extra``: of its further rows.
    :param differing: by how much they differ in invoices that differ; where a sum is not compared, or within the
        tolerance, those that agree differ as well.
    """

    kind: Kind
    currency: str
    ropo: Decimal
    compared: Decimal
    extra: Decimal
    differing: Decimal

    @property
    def ledger(self) -> Decimal:
        """The ledger's sum, of all its rows."""
        return self.compared + self.extra

    @property
    def difference(self) -> Decimal:
        """Ropo One's sum less the ledger's."""
        return self.ropo - self.ledger

    @property
    def agreeing(self) -> Decimal:
        """What of the difference lies in invoices that agree."""
        return self.difference - self.differing


def is_compared_again(profile: Profile, shown: Reconciliation, now: datetime.datetime) -> bool:
    """Tell whether a night compares a date again by itself where its newest reconciliation is not all in order.

    As ``pick_recheck.sql`` has it: of dates that it reaches no more those that are pending still, and were recorded
    within the same time.
    """
    if shown.business_date >= profile.rechecked_from(profile.business_date(now)):
        return True
    is_lately = shown.started_at >= now - datetime.timedelta(days=profile.rechecked_days)
    return shown.pending > 0 and is_lately and shown.business_date >= profile.start_date


def read_reconciliations(cursor: Cursor, profile: str, date: datetime.date) -> list[Reconciliation]:
    """Return every reconciliation of a business date, the newest first."""
    return rows_of(cursor, Reconciliation, "reconciliations", {"profile": profile, "business_date": date})


def read_money(cursor: Cursor, shown: Reconciliation) -> list[MoneyLine]:
    """Return the sums of a reconciliation, by currency, each with what of its difference needs somebody."""
    parameters = {"reconciliation_id": shown.reconciliation_id}
    found = rows_of(cursor, _DifferingMoney, "differing_money", parameters) if shown.differing else []
    of_currency = {each.currency: each for each in found}
    lines = []
    for money in shown.totals.currencies:
        part = of_currency.get(money.currency)
        for kind in KINDS:
            # An invoice with further rows in the ledger never agrees: all their money is of invoices that differ.
            extra = getattr(money, f"extra_{kind}")
            one_row_each = getattr(part, f"ropo_{kind}") - getattr(part, f"ledger_{kind}") if part else Decimal(0)
            lines.append(
                MoneyLine(
                    kind=kind,
                    currency=money.currency,
                    ropo=getattr(money, f"ropo_{kind}"),
                    compared=getattr(money, f"ledger_{kind}"),
                    extra=extra,
                    differing=one_row_each - extra,
                )
            )
    return lines


def read_changes(cursor: Cursor, earlier: int, later: int) -> list[Changed]:
    """Return what changed from one reconciliation to another, by their ids."""
    cursor.execute(changes_statement(), {"earlier": earlier, "later": later})
    found = structs(cursor, Changed)
    return sorted(found, key=lambda each: CHANGES.index(each.change))


def changes_statement() -> str:
    """Return the statement of :func:`read_changes`."""
    return statement("changes").format(other_result=other_result("earlier", "later"))


def read_items(
    cursor: Cursor, profile: str, reconciliation_id: int, selection: ItemSelection, *, after: str | None = None
) -> Listed[Item]:
    """Return a page of the items that a selection means.

    :param after: where the page begins; by default with the first.
    :raises InvalidPlaceError: if ``after`` names no place.
    """
    text, parameters = items_statement(profile, reconciliation_id, selection, after=after)
    cursor.execute(text, parameters)
    rows = named_rows(cursor)
    items = _as_they_stand(
        cursor, [msgspec.convert({name: row[name] for name in Item.__struct_fields__}, Item) for row in rows]
    )
    if len(items) <= PAGE_ROWS:
        return Listed(rows=items, after=None)
    last = rows[PAGE_ROWS - 1]
    place = place_name([last[f"key_{number}"] for number in range(len(selection.keys))])
    return Listed(rows=items[:PAGE_ROWS], after=place)


def _as_they_stand(cursor: Cursor, items: list[Item]) -> list[Item]:
    resolved = [each.break_id for each in items if each.break_id is not None and each.break_state == "resolved"]
    standing = {former: (each.break_id, each.state) for former, each in read_standing(cursor, resolved).items()}
    found = []
    for each in items:
        break_id, state = standing.get(each.break_id or 0, (each.break_id, each.break_state))
        found.append(msgspec.structs.replace(each, break_id=break_id, break_state=state))
    return found


def items_statement(
    profile: str, reconciliation_id: int, selection: ItemSelection, *, after: str | None = None
) -> tuple[str, dict[str, object]]:
    """Return the statement of :func:`read_items` with its parameters."""
    parameters = {"profile": profile, "reconciliation_id": reconciliation_id, **selection.parameters()}
    conditions = selection.conditions()
    if after:
        parameters |= place_values(after, selection.keys)
        conditions += f" AND {after_condition(selection.keys, is_descending=selection.is_descending)}"
    keys = ", ".join(f"{key} AS key_{place}" for place, key in enumerate(selection.keys))
    text = statement("items").format(keys=keys)
    return f"{text} AND {conditions} {selection.ordering()} LIMIT {PAGE_ROWS + 1}", parameters
