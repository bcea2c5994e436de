"""Whose row is it: jobs, invoices that were sent again, ledger rows without a jobid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def test_sent_again_under_a_new_jobid_is_one_invoice(world: World) -> None:
    world.comment("1", "110", "2026-03-01 09:00", jobid="J1")
    world.payment("1", "100", jobid="J2")
    world.row("1", "paid", paid="100", jobid="J2")
    item = world.only_item()
    assert (item["invoice_key"], item["jobid"], item["category"]) == ("b:1", "J2", "matched")


def test_the_end_of_a_job_that_was_sent_again_is_not_the_end_of_the_invoice(world: World) -> None:
    world.comment("1", "110", "2026-03-01 09:00", jobid="J1")
    world.comment("1", "110", "2026-03-09 09:00", jobid="J2")
    world.comment("1", "160", "2026-03-10 09:00", jobid="J1")
    world.row("1", "sent", jobid="J2")
    assert world.judged() == ("matched", None)


def test_sent_again_and_the_ledger_knows_the_new_jobid_before_ropo_speaks_of_it(world: World) -> None:
    world.comment("1", "98", jobid="J1")
    world.row("1", jobid="J2")
    assert world.judged() == ("matched", None)


def test_one_billnum_in_two_years_is_two_invoices_where_the_ledger_has_a_row_for_each(world: World) -> None:
    world.payment("1", "100", "2025-03-10", jobid="J1", seen=at("2025-03-10 10:00"))
    world.row("1", "paid", paid="100", jobid="J1", sent_at=None)
    world.payment("1", "70", jobid="J2")
    world.row("1", total="70", paid="0", jobid="J2")
    items = world.items(world.reconcile())
    assert {key: item["category"] for key, item in items.items()} == {"j:J2": "ledger_behind"}


def test_one_billnum_used_again_before_ropo_speaks_of_the_second(world: World) -> None:
    world.payment("1", "100", jobid="J1")
    world.row("1", "paid", paid="100", jobid="J1")
    world.row("1", jobid="J2", changed_at=at("2026-03-10 08:00"))
    items = world.items(world.reconcile())
    assert {key: item["category"] for key, item in items.items()} == {"j:J1": "matched", "j:J2": "matched"}


def test_an_erp_without_jobids_is_matched_by_trimmed_billnum(world: World) -> None:
    world.payment("1", "100")
    world.row("  1 ", "paid", paid="100", jobid=None)
    assert world.judged() == ("matched", None)


def test_an_event_that_names_only_a_jobid_finds_its_row_and_its_number(world: World) -> None:
    world.payment(None, "100", jobid="J1")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["invoice_key"], item["billnum"], item["category"]) == ("b:1", "1", "matched")
