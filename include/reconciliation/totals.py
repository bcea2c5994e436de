"""Counts and money of a comparison, and the proof that they tie."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from include.reconciliation.categories import CATEGORIES, MATCHED
from include.reconciliation.statements import statement
from include.status_store.rows import named_rows

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# A reconciliation in numbers: its population and the four parts of it.
COUNTS = ("population", "matched", "pending", "breaks", "accepted")
_MONEY = ("ropo_paid", "ropo_discount", "ledger_paid", "ledger_discount")


class TotalsDoNotTieError(RuntimeError):
    """The comparison's totals disagree with what they are totals of: it is wrong, and nothing of it is recorded."""


class CurrencyTotals(msgspec.Struct, kw_only=True):
    """Money of one currency, never summed across currencies.

    Of an invoice with several rows in the ledger one row stands in the sums; the others are ``extra`` rows.

    :param ropo_paid: money received, by Ropo's events; ``ropo_discount``: cash discounts.
    :param ledger_paid: money received, by the ledger; ``ledger_discount``: cash discounts.
    :param extra_paid: and ``extra_discount``: of the extra rows, in their own currency; earlier versions recorded none.
    """

    currency: str
    invoices: int = 0
    ropo_paid: Decimal = Decimal(0)
    ropo_discount: Decimal = Decimal(0)
    ledger_paid: Decimal = Decimal(0)
    ledger_discount: Decimal = Decimal(0)
    extra_paid: Decimal = Decimal(0)
    extra_discount: Decimal = Decimal(0)


class Totals(msgspec.Struct, kw_only=True):
    """What a comparison comes to.

    :param population: matched + pending + breaks + accepted.
    :param categories: category to its number of matched, pending, breaking and accepted invoices; those without any are
        left out.
    :param ropo_invoices: invoices that Ropo speaks of = population - ``missing_at_ropo``.
    :param ledger_rows: rows of the ledger = population - ``missing_in_ledger`` + ``extra_rows``.
    """

    population: int = 0
    matched: int = 0
    pending: int = 0
    breaks: int = 0
    accepted: int = 0
    out_of_scope: int = 0
    ropo_invoices: int = 0
    missing_at_ropo: int = 0
    ledger_rows: int = 0
    missing_in_ledger: int = 0
    extra_rows: int = 0
    categories: dict[str, dict[str, int]] = {}
    currencies: list[CurrencyTotals] = []


def require_ties(cursor: Cursor, profile: Profile) -> None:
    """Check each side's rows and money against the comparison's, for each part of it.

    :raises TotalsDoNotTieError: naming every total that does not tie, with both figures.
    """
    cursor.execute(statement("ties"), {"currency": profile.currency})
    wrong = [
        f"{day}: {total}{f' in {currency}' if currency else ''}: {counted} counted, {tied} by the comparison"
        for day, total, currency, counted, tied in cursor.fetchall()
        if counted != tied
    ]
    if wrong:
        raise TotalsDoNotTieError(f"Profile {profile.name}: the totals do not tie; {'; '.join(wrong)}")


def totals_of(cursor: Cursor, profile: Profile) -> Mapping[datetime.date, Totals]:
    """Return the totals of each part of the comparison in the session, by its business date; of no invoice, zeros.

    :raises TotalsDoNotTieError: if they do not add up.
    """
    cursor.execute(statement("counts"))
    by_date: dict[datetime.date, Totals] = defaultdict(Totals)
    for row in named_rows(cursor):
        _add(by_date[row["business_date"]], row)
    cursor.execute("SELECT business_date, count(*) FROM part WHERE is_out_of_scope GROUP BY 1")
    for day, out_of_scope in cursor.fetchall():
        by_date[day].out_of_scope = out_of_scope
    cursor.execute(statement("extra_money"), {"currency": profile.currency})
    for day, currency, paid, discount in cursor.fetchall():
        money = _money_of(by_date[day], currency)
        money.extra_paid, money.extra_discount = paid, discount
    for day, totals in by_date.items():
        _complete(totals, f"Profile {profile.name}, {day}")
    return by_date


def _add(totals: Totals, row: Mapping[str, Any]) -> None:
    invoices: int = row["invoices"]
    by_bucket = totals.categories.setdefault(row["category"], {})
    by_bucket[row["bucket"]] = by_bucket.get(row["bucket"], 0) + invoices
    totals.population += invoices
    totals.missing_at_ropo += row["missing_at_ropo"]
    totals.missing_in_ledger += row["missing_in_ledger"]
    totals.ledger_rows += int(row["ledger_rows"])
    setattr(totals, row["bucket"], getattr(totals, row["bucket"]) + invoices)
    money = _money_of(totals, row["currency"])
    money.invoices += invoices
    for name in _MONEY:
        setattr(money, name, getattr(money, name) + row[name])


def _money_of(totals: Totals, currency: str) -> CurrencyTotals:
    money = next((each for each in totals.currencies if each.currency == currency), None)
    if money is None:
        money = CurrencyTotals(currency=currency)
        totals.currencies.append(money)
    return money


def _complete(totals: Totals, what: str) -> None:
    totals.ropo_invoices = totals.population - totals.missing_at_ropo
    totals.extra_rows = totals.ledger_rows - (totals.population - totals.missing_in_ledger)
    totals.currencies.sort(key=lambda money: money.currency)
    totals.categories = {name: totals.categories[name] for name in CATEGORIES if name in totals.categories}
    if totals.population != totals.matched + totals.pending + totals.breaks + totals.accepted:
        parts = "matched + pending + breaks + accepted"
        raise TotalsDoNotTieError(f"{what}: population {totals.population} is not {parts}")
    if totals.matched != sum(totals.categories.get(MATCHED, {}).values()):
        raise TotalsDoNotTieError(f"{what}: matched {totals.matched} is not what the category matched has")
