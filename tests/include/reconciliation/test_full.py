"""A full comparison: every invoice that is not settled on both sides, whatever its dates."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

MONTH_END = datetime.date(2026, 3, 31)
LATER = at("2026-04-01 08:00")


def _categories(world: World) -> dict[str, str]:
    result = world.reconcile(MONTH_END, now=LATER, scope="full", reread_poll_id=world.know_all(MONTH_END))
    return {key: item["category"] for key, item in world.items(result).items()}


def test_what_no_date_shows_any_more_is_found(world: World) -> None:
    """A deleted row, one that no ``changed_at`` tells of, and one of which only an earlier comparison knew."""
    world.payment("paid", "100")
    world.row("paid", "paid", paid="100")
    world.payment("deleted", "100")
    world.row("deleted", "paid", paid="100")
    world.payment("silent", "100")
    world.row("silent", "paid", paid="100")
    world.row("unspoken", changed_at=at("2026-03-10 08:00"))
    assert world.reconcile(reread_poll_id=world.know_all()).verdict == "reconciled"
    world.ledger("DELETE FROM ropo_ledger WHERE billnum IN ('deleted', 'unspoken')")
    world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100, status = 'open' WHERE billnum = 'silent'")

    assert _categories(world) == {
        "b:deleted": "missing_in_ledger",
        "b:silent": "ledger_behind",
        "j:Junspoken": "missing_in_ledger",
    }


def test_it_stands_beside_the_dates_and_changes_none_of_them(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all(), now=at("2026-03-13 00:00"))
    assert _categories(world) == {"b:1": "ledger_behind"}
    assert world.verdicts(DAY) == ["breaks"]
    assert world.store("SELECT scope, verdict FROM ropo.reconciliation WHERE business_date = %s", (MONTH_END,)) == [
        ("full", "breaks")
    ]
    # A full comparison of a date is no reconciliation of the date itself.
    query = "SELECT scope, business_date FROM ropo.reconciled_date ORDER BY 1"
    assert world.store(query) == [("date", DAY), ("full", MONTH_END)]


def test_unpaid_and_agreed_invoices_are_in_it_and_settled_ones_are_not(world: World) -> None:
    world.row("open")
    world.comment("ended", "160")
    world.row("ended", "cancelled")
    world.comment("bad", "98")
    world.quarantine(b'{"billnum": "unread", "amount": "twelve"}', at("2026-03-10 10:00"))
    world.row("bad")
    assert _categories(world) == {"b:bad": "matched", "b:unread": "unparseable", "j:Jopen": "matched"}
