"""What a test of a story says: what is done in Tryton, what Ropo says, and what a controller sees."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from tests.include.reconciliation.world import World

if TYPE_CHECKING:
    from demo.tryton.client import Tryton
    from include.config.status_map import StatusMap

INVOICED_ON = "2026-03-02"
BOOKED_ON = "2026-03-10"
# Numbers are given, not drawn: Tryton's sequence wants invoices in the order of their dates.
_NUMBERS, _JOBIDS = itertools.count(31_000_000), itertools.count(4_000_000)


@dataclass(kw_only=True)
class Books(World):
    """Tryton's invoices as the ledger, and a store to say in what Ropo says.

    :param tryton: the running Tryton.
    :param status_map: with Tryton's words.
    :param reread_poll_id: of the day's re-read.
    """

    tryton: Tryton
    status_map: StatusMap
    reread_poll_id: int | None = None
    MONEY: ClassVar = ("total", "paid", "discount", "credited", "open")

    def invoice(self, total: str = "100.00", *, party: str = "Virtanen Matti", **wanted: Any) -> str:
        """Make and post an invoice with a number and a jobid that no other has; return its number."""
        unique = {"number": str(next(_NUMBERS)), "jobid": str(next(_JOBIDS))}
        wanted = {"party": party, "total": total, "date": INVOICED_ON, **unique, **wanted}
        return str(self.tryton.ask("create", invoices=[wanted])[0])

    def pay(self, number: str, total: str, **wanted: Any) -> str:
        """Book a payment; return Tryton's state of the invoice."""
        return str(self.tryton.ask("pay", number=number, total=total, date=BOOKED_ON, **wanted))

    def jobid(self, number: str) -> str | None:
        """The jobid that Tryton holds of an invoice."""
        return str(self.shown(number)["jobid"])

    def said(self, number: str, code: str, when: str = "2026-03-10 09:00", **columns: Any) -> None:
        """Ropo says a comment of an invoice that it knows by its jobid and its number."""
        self.comment(number, code, when, **{"jobid": self.jobid(number), **columns})

    def told(self, number: str, amount: str, when: str = "2026-03-10", kind: str = "1", **columns: Any) -> None:
        """Ropo tells a payment of such an invoice."""
        self.payment(number, amount, when, kind, **{"jobid": self.jobid(number), **columns})

    @property
    def query(self) -> str:
        """The SELECT, ready for parameters."""
        return self.profile.ledger.query.read_text(encoding="utf-8").replace("%", "%%")

    def shown(self, number: str) -> dict[str, Any]:
        """The ledger's row of an invoice, as ``tryton.sql`` shows it."""
        rows = self.ledger(f"SELECT to_jsonb(ledger) FROM ({self.query}) AS ledger WHERE billnum = %s", (number,))
        if len(rows) != 1:
            raise LookupError(f"the ledger has {len(rows)} rows of invoice {number}")
        return dict(rows[0][0])

    def amounts(self, number: str) -> tuple[str, ...]:
        """Status, total, paid, discount, credited and open of an invoice, as text."""
        row = self.shown(number)
        return (row["status"], *(f"{Decimal(str(row[name])):.2f}" for name in self.MONEY))

    def seen(self, number: str, **options: Any) -> tuple[str, str | None, str]:
        """What a controller sees of an invoice: category, reason, and the day's verdict (there is no grace here)."""
        known = {"status_map": self.status_map, "reread_poll_id": self.reread_poll_id}
        result = self.reconcile(**{**known, **options})
        found = [item for item in self.items(result).values() if item["billnum"] == number]
        if len(found) != 1:
            raise LookupError(f"invoice {number} is {len(found)} times in the population, expected once")
        return found[0]["category"], found[0]["reason"], result.verdict
