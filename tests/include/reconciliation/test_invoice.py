"""One invoice, both sides, as lines of text without any text of a row."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2

from include.reconciliation.decisions import accept_breaks
from include.reconciliation.invoice import invoice_history
from include.status_store.database import connect
from tests.include.reconciliation.world import NOW, STATUS_MAP, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def _lines(world: World, billnum: str) -> list[str]:
    with closing(connect(world.store_dsn)) as store, closing(psycopg2.connect(world.ledger_dsn)) as ledger:
        return invoice_history(store, ledger, world.profile, STATUS_MAP, billnum, now=NOW)


def test_both_sides_and_how_they_compare(world: World) -> None:
    world.payment("1", "98.00", kind="1", statusref="Maksettu toimeksiantajalle")
    world.payment("1", "2.00", kind="8", statusref="Kassa-alennus")
    world.comment("1", "98", statustext="Soittanut Matti Meikäläinen", statusref="Viesti")
    world.row("1", total="100.00", paid="40.00", discount="0.00", open="60.00")
    assert _lines(world, " 1 ") == [
        "Invoice 1, jobid J1, profile default",
        "  Ropo One: 3 events",
        "    2026-03-10 00:00:00  payment  1  98.00 EUR  (stored 2026-03-10 12:00 EET)",
        "    2026-03-10 00:00:00  payment  8  2.00 EUR  (stored 2026-03-10 12:00 EET)",
        "    2026-03-10 09:00:00  comment  98  (stored 2026-03-10 12:00 EET)",
        "    state paid, paid 98.00, discount 2.00",
        "  Ledger (connection erp_ledger): 1 row",
        "    number 1, jobid J1, status open, total 100.00, paid 40.00, discount 0.00, credited 0, open 60.00, EUR",
        "    sent 2026-03-09 10:00 EET, changed 2026-03-09 10:00 EET",
        "    state partly_paid",
        "  Comparison: ledger_behind, Ropo is further in payment",
        "    pending, a break from 2026-03-12 00:00 EET",
    ]


def test_its_breaks_across_days_without_anybodys_note(world: World) -> None:
    world.payment("1", "5000")
    world.row("1", total="9000")
    world.reconcile(now=at("2026-03-12 08:00"))
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        accept_breaks(cursor, [1], by="Anna", note="Matti Meikäläinen pays in cash")
    lines = _lines(world, "1")
    assert lines[-1] == (
        "  Break 1: ledger_behind, accepted by Anna, high, since 2026-03-10, seen 1 time, last 2026-03-12 10:00 EET"
    )
    assert not any("Meik" in line for line in lines)


def test_nothing_is_recorded(world: World) -> None:
    world.comment("1", "98")
    _lines(world, "1")
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(0,)]


def test_an_invoice_of_before_the_start_is_shown_all_the_same(world: World) -> None:
    world.comment("1", "98", "2020-01-01 09:00")
    world.row("1", sent_at=at("2020-01-01 08:00"))
    assert "  Comparison: matched, both sides agree" in _lines(world, "1")


def test_a_number_of_several_invoices_gives_a_part_for_each(world: World) -> None:
    world.comment("1", "98", jobid="J1")
    world.comment("1", "98", jobid="J2")
    world.row("1", jobid="J1")
    world.row("1", jobid="J2")
    heads = [line for line in _lines(world, "1") if line.startswith("Invoice")]
    assert heads == ["Invoice 1, jobid J1, profile default", "Invoice 1, jobid J2, profile default"]


def test_a_number_that_nobody_knows(world: World) -> None:
    assert _lines(world, "404") == ["Invoice 404 of profile default: neither Ropo nor the ledger knows it"]


def test_a_near_miss_is_named(world: World) -> None:
    world.comment("007", "98")
    world.row("7", jobid=None)
    assert "    nearly the same number: the ledger has 7" in _lines(world, "007")
