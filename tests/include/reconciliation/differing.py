"""Invoices that differ, and what became of their breaks: what the tests of breaks across days share."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

# The grace of DAY (a Tuesday) is over at the end of Wednesday.
OVER = at("2026-03-12 08:00")
HOUR = datetime.timedelta(hours=1)
NEXT = DAY + datetime.timedelta(days=1)
COLUMNS = (
    "break_id", "invoice_key", "billnum", "jobid", "category", "reason", "state", "business_date", "currency", "amount",
    "first_seen", "last_seen", "times_seen", "first_reconciliation_id", "last_reconciliation_id", "accepted_by",
    "resolved_at",
)  # fmt: skip


def breaks(world: World) -> list[dict[str, Any]]:
    rows = world.store(f"SELECT {', '.join(COLUMNS)} FROM ropo.reconciliation_break ORDER BY break_id")
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def states(world: World) -> list[tuple[str, str, str]]:
    return world.store("SELECT invoice_key, category, state FROM ropo.reconciliation_break ORDER BY break_id")


def history(world: World, invoice_key: str = "b:1") -> list[tuple[str, str | None]]:
    return world.store(
        "SELECT kind, note FROM ropo.reconciliation_break_event JOIN ropo.reconciliation_break USING (break_id) "
        "WHERE invoice_key = %s ORDER BY event_id",
        (invoice_key,),
    )


def accept(world: World, billnum: str | None = None) -> None:
    """As a person does, of every open break, or of one invoice's."""
    world.store(
        "UPDATE ropo.reconciliation_break SET state = 'accepted', accepted_at = now(), accepted_by = 'Anna', "
        "accepted_note = 'known', accepted_evidence = evidence "
        "WHERE state = 'open' AND COALESCE(billnum = %s, true)",
        (billnum,),
    )


def behind(world: World, billnum: str = "1", amount: str = "100") -> None:
    """Ropo says that an invoice is paid, and the ledger does not."""
    world.payment(billnum, amount)
    world.row(billnum)


def mend(world: World, billnum: str = "1") -> None:
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0 WHERE billnum = %s", (billnum,))
