"""The lives of invoices that Tryton cannot hold, against a plain table: what a controller sees at each step.

Those that it can hold are in tests/integration/tryton/test_stories.py.
"""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.reconciliation.decisions import accept_breaks
from include.status_store.database import connect
from tests.include.reconciliation.world import DAY, NOW, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

GREEN = ("matched", None, "reconciled")


class Controller:
    """Looks at a day again and again; there is no grace, so that a difference is a break at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.profile = msgspec.structs.replace(world.profile, grace_business_days=0)
        self.rereads = {DAY: world.know_all()}

    def look(self, day: datetime.date = DAY) -> tuple[str, dict[str, dict[str, Any]]]:
        """The day's verdict and its items, by invoice number; a minute and a day after its end."""
        if day not in self.rereads:
            self.rereads[day] = self.world.know_all(day)
        now = NOW + (day - DAY)
        result = self.world.reconcile(day, now=now, profile=self.profile, reread_poll_id=self.rereads[day])
        return result.verdict, {item["billnum"]: item for item in self.world.items(result).values()}

    def sees(self, billnum: str = "1", day: datetime.date = DAY) -> tuple[str, str | None, str]:
        """Category and reason of an invoice, and the day's verdict."""
        verdict, items = self.look(day)
        return items[billnum]["category"], items[billnum]["reason"], verdict


@pytest.fixture
def controller(world: World) -> Controller:
    return Controller(world)


def test_an_invoice_of_zero(world: World, controller: Controller) -> None:
    world.comment("1", "98")
    world.row("1", total="0")
    assert controller.sees() == ("matched", "credit_note", "reconciled")
    world.comment("1", "150")
    assert controller.sees() == ("status_conflict", "ended_in_ropo", "breaks")
    world.ledger("UPDATE ropo_ledger SET status = 'credited'")
    assert controller.sees() == ("matched", "credit_note", "reconciled")


def test_one_number_in_two_years(world: World, controller: Controller) -> None:
    world.payment("1", "100", "2025-03-10", jobid="J2025", seen=at("2025-03-10 10:00"))
    world.row("1", "paid", paid="100", jobid="J2025", sent_at=at("2026-01-01 08:00"), changed_at=at("2026-01-02 08:00"))
    world.payment("1", "70", jobid="J2026")
    world.row("1", total="70", jobid="J2026")
    assert controller.sees() == ("ledger_behind", "payment", "breaks")
    world.ledger("UPDATE ropo_ledger SET paid = 70, open = 0, status = 'paid' WHERE jobid = 'J2026'")
    assert controller.sees() == GREEN


def test_an_invoice_of_the_print_service_is_paid_past_ropo(world: World, controller: Controller) -> None:
    world.comment("1", "120")
    world.row("1", by_ropo=False)
    assert controller.sees() == ("matched", "print_service", "reconciled")
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0, status = 'paid'")
    assert controller.sees() == ("matched", "print_service", "reconciled")


def test_paid_with_something_open(world: World, controller: Controller) -> None:
    world.payment("1", "60")
    world.row("1", "paid", paid="60")
    assert controller.sees() == ("ledger_inconsistent", "paid_but_open", "breaks")
    world.ledger("UPDATE ropo_ledger SET status = 'open'")
    assert controller.sees() == GREEN


def test_no_currency_anywhere_is_the_profiles(world: World, controller: Controller) -> None:
    world.payment("1", "100")
    world.row("1", currency=None)
    assert controller.sees() == ("ledger_behind", "payment", "breaks")
    assert world.store("SELECT currency, amount FROM ropo.reconciliation_break") == [("EUR", 100)]
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0, status = 'paid'")
    assert controller.sees() == GREEN


def test_sent_again_and_the_old_job_cancelled(world: World, controller: Controller) -> None:
    world.comment("1", "110", "2026-03-03 09:00", jobid="J1")
    world.comment("1", "160", "2026-03-10 09:00", jobid="J1")
    world.row("1", jobid="J1")
    assert controller.sees() == ("status_conflict", "ended_in_ropo", "breaks")
    world.comment("1", "110", "2026-03-10 10:00", jobid="J2")
    world.ledger("UPDATE ropo_ledger SET jobid = 'J2'")
    assert controller.sees() == GREEN


def test_the_row_changes_again_and_its_changed_at_moves_on(world: World, controller: Controller) -> None:
    next_day = DAY + datetime.timedelta(days=1)
    world.row("1", "paid", paid="100", changed_at=at("2026-03-10 12:00"))
    assert controller.sees() == ("missing_in_ropo", "payment", "breaks")
    world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100, status = 'open', changed_at = '2026-03-11 12:00Z'")
    # The day keeps the invoice that it once saw, and the new day has it too.
    assert controller.sees() == ("matched", "never_spoken_of", "reconciled")
    assert controller.sees("1", next_day) == ("matched", "never_spoken_of", "reconciled")


def test_a_row_that_is_deleted_after_the_day_was_green(world: World, controller: Controller) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.row("2", changed_at=at("2026-03-10 12:00"))
    world.row("3")
    assert controller.sees() == GREEN
    world.ledger("DELETE FROM ropo_ledger WHERE billnum <> '3'")
    assert controller.sees("1") == ("missing_in_ledger", "no_row", "breaks")
    assert controller.sees("2") == ("missing_in_ledger", "row_gone", "breaks")
    # What was recorded while it was green stays as it was.
    assert world.store("SELECT verdict FROM ropo.reconciliation ORDER BY reconciliation_id") == [
        ("reconciled",),
        ("breaks",),
        ("breaks",),
    ]


def test_accepted_small_and_grown_large(world: World, controller: Controller) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="99.50", discount="0.50")
    assert controller.sees() == ("amount_mismatch", "booked_otherwise", "breaks")
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        cursor.execute("SELECT break_id FROM ropo.reconciliation_break")
        accept_breaks(cursor, [row[0] for row in cursor.fetchall()], by="Anna", note="rounded by the bank")
    assert controller.sees() == ("amount_mismatch", "booked_otherwise", "reconciled")
    assert world.store("SELECT accepted FROM ropo.reconciliation ORDER BY reconciliation_id DESC LIMIT 1") == [(1,)]
    world.ledger("UPDATE ropo_ledger SET paid = 9.50, discount = 90.50")
    assert controller.sees() == ("amount_mismatch", "booked_otherwise", "breaks")
    assert world.store("SELECT state FROM ropo.reconciliation_break") == [("open",)]


# In Helsinki: a common day, the day of 23 hours and the day of 25.
@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        ("2026-03-10", "2026-03-09 22:00", "2026-03-10 22:00"),
        ("2026-03-29", "2026-03-28 22:00", "2026-03-29 21:00"),
        ("2026-10-25", "2026-10-24 21:00", "2026-10-25 22:00"),
    ],
)
def test_rows_at_midnight_belong_to_the_day_that_begins(
    world: World, controller: Controller, day: str, begins: str, ends: str
) -> None:
    business_date = datetime.date.fromisoformat(day)
    instant = datetime.timedelta(microseconds=1)
    for number, moment in (
        ("before", at(begins) - instant),
        ("first", at(begins)),
        ("last", at(ends) - instant),
        ("after", at(ends)),
    ):
        world.row(number, changed_at=moment, sent_at=None)
    world.comment("spoken", "98", f"{day} 00:00:00", seen=at(ends))
    world.row("spoken")
    verdict, items = controller.look(business_date)
    assert (verdict, sorted(items)) == ("reconciled", ["first", "last", "spoken"])


def test_a_payment_at_the_hour_that_the_clock_shows_twice(world: World, controller: Controller) -> None:
    autumn = datetime.date(2026, 10, 25)
    world.comment("1", "101", "2026-10-25 03:30:00", seen=at("2026-10-25 01:30"))
    world.payment("1", "100", "2026-10-25", seen=at("2026-10-25 01:30"))
    world.row("1", changed_at=at("2026-10-25 00:30"))
    assert controller.sees("1", autumn) == ("ledger_behind", "payment", "breaks")
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0, status = 'paid', changed_at = '2026-10-25 01:30Z'")
    assert controller.sees("1", autumn) == GREEN
