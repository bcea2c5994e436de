"""What the reconciliation found, read from the store's tables, and whether that is what was put into the data."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg2

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from include.simulator.differences import Difference


class DateOutcome(NamedTuple):
    """A business date's newest reconciliation."""

    reconciliation_id: int
    business_date: dt.date
    verdict: str
    population: int
    matched: int
    pending: int
    breaks: int


class Item(NamedTuple):
    """An invoice that does not match on a date; amounts in ``currency``, None where a side has no row."""

    business_date: dt.date
    billnum: str
    category: str
    ropo_status: str | None
    ledger_status: str | None
    ropo_paid: Decimal | None
    ledger_paid: Decimal | None
    currency: str | None


@dataclass(frozen=True)
class Outcome:
    """
    What was found.

    :param dates: ascending.
    :param items: by date, category and invoice number.
    """

    dates: list[DateOutcome]
    items: list[Item]


def read(dsn: str, profile: str, dates: Sequence[dt.date]) -> Outcome:
    """Read the newest reconciliation of each date.

    :param dsn: the store.
    :param profile: the profile's name.
    :param dates: the business dates; one without a reconciliation is absent from the answer.
    :return: what was found.
    """
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_sql("outcome_dates.sql"), {"profile": profile, "dates": list(dates)})
        found = [DateOutcome(*row) for row in cursor.fetchall()]
        cursor.execute(_sql("outcome_items.sql"), {"reconciliations": [date.reconciliation_id for date in found]})
        return Outcome(found, [Item(*row) for row in cursor.fetchall()])


def surprises(outcome: Outcome, dates: Sequence[dt.date], seeded: Iterable[Difference]) -> list[str]:
    """Compare what was found with what was put in.

    :param outcome: what was found.
    :param dates: the business dates that were reconciled.
    :param seeded: the differences that were put in.
    :return: a sentence for each thing that is otherwise than it must be; empty when all is.
    """
    wanted = {
        (day, difference.billnum, difference.category)
        for difference in seeded
        for day in difference.dates
        if day in dates
    }
    found = {(item.business_date, item.billnum, item.category) for item in outcome.items}
    texts = [f"{day}: invoice {number} is {what}; not put in" for day, number, what in sorted(found - wanted)]
    texts += [f"{day}: invoice {number} should be {what}; not found" for day, number, what in sorted(wanted - found)]
    verdicts = {date.business_date: date.verdict for date in outcome.dates}
    for day in dates:
        right = {"breaks", "pending"} if any(day == seeded_day for seeded_day, _, _ in wanted) else {"reconciled"}
        verdict = verdicts.get(day, "without a reconciliation")
        if verdict not in right:
            texts.append(f"{day}: is {verdict}, and should be {' or '.join(sorted(right))}")
    return texts


def table(outcome: Outcome) -> str:
    """A table of dates by categories, for people.

    :param outcome: what was found.
    :return: its lines.
    """
    counts = Counter((item.business_date, item.category) for item in outcome.items)
    categories = sorted({item.category for item in outcome.items})
    head = ["date", "verdict", "invoices", "matched", *categories]
    rows = [
        [
            str(date.business_date),
            date.verdict,
            f"{date.population:,}",
            f"{date.matched:,}",
            *(str(counts[date.business_date, category] or "·") for category in categories),
        ]
        for date in outcome.dates
    ]
    return _aligned(_stacked(head), rows)


def named(outcome: Outcome) -> str:
    """One invoice of each category, with both sides of it, for people.

    :param outcome: what was found.
    :return: its lines.
    """
    first = {item.category: item for item in reversed(outcome.items)}
    head = ["invoice", "date", "category", "Ropo says", "ledger says", "paid at Ropo", "paid in ledger"]
    rows = [
        [
            item.billnum,
            str(item.business_date),
            item.category,
            item.ropo_status or "–",
            item.ledger_status or "–",
            _money(item.ropo_paid, item.currency),
            _money(item.ledger_paid, item.currency),
        ]
        for _, item in sorted(first.items())
    ]
    return _aligned([head], rows)


def _money(amount: Decimal | None, currency: str | None) -> str:
    return "–" if amount is None else f"{amount:,.2f} {currency or ''}".strip()


def _stacked(head: list[str]) -> list[list[str]]:
    """Long names of categories in two lines, so that the table fits a terminal."""
    parts = [name.split("_", 1) for name in head]
    return [[part[0] for part in parts], [part[1] if len(part) > 1 else "" for part in parts]]


def _aligned(heads: list[list[str]], rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*heads, *rows, strict=True)]
    lines = [*heads, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _sql(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
