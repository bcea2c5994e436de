"""Whose row is it: jobs, invoices that were sent again, ledger rows without a jobid."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.reconciliation.comparison import compare, prepare
from include.reconciliation.population import Seeds
from include.reconciliation.sides import ledger_transaction
from include.status_store.database import connect
from tests.include.reconciliation.world import DAY, NOW, STATUS_MAP, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import cursor as Cursor

    from tests.include.reconciliation.world import World


@contextmanager
def compared(world: World) -> Iterator[Cursor]:
    """The comparison of the day, in its scratch tables."""
    with (
        closing(connect(world.store_dsn)) as store,
        closing(psycopg2.connect(world.ledger_dsn)) as ledger,
        ledger_transaction(ledger, world.profile) as reader,
        store.cursor() as cursor,
    ):
        prepare(cursor, STATUS_MAP)
        compare(cursor, reader, world.profile, Seeds((DAY,)), now=NOW, start=None)
        yield cursor


def test_sent_again_under_a_new_jobid_is_one_invoice(world: World) -> None:
    world.comment("1", "110", "2026-03-01 09:00", jobid="J1")
    world.payment("1", "100", jobid="J2")
    world.row("1", "paid", paid="100", jobid="J2")
    item = world.only_item()
    assert (item["invoice_key"], item["jobid"], item["category"]) == ("b:1", "J2", "matched")


@pytest.mark.parametrize("booked", ["J2", None], ids=["booked", "not booked"])
def test_the_end_of_a_job_that_was_sent_again_is_not_the_end_of_the_invoice(world: World, booked: str | None) -> None:
    world.comment("1", "110", "2026-03-01 09:00", jobid="J1")
    world.comment("1", "110", "2026-03-09 09:00", jobid="J2")
    world.comment("1", "160", "2026-03-10 09:00", jobid="J1")
    world.row("1", "sent", jobid=booked)
    assert world.judged() == ("matched", None)


def test_sent_again_and_the_end_of_the_new_job_is_the_end_though_the_old_one_was_first_spoken_of_after_it(
    world: World,
) -> None:
    world.comment("1", "110", "2026-03-09 09:00", jobid="J2")
    world.comment("1", "98", "2026-03-10 09:00", jobid="J1")
    world.comment("1", "160", "2026-03-11 09:00", jobid="J2")
    world.row("1", "sent", jobid="J2")
    item = world.only_item()
    assert (item["jobid"], item["category"], item["reason"]) == ("J2", "status_conflict", "ended_in_ropo")


def test_sent_again_and_the_old_job_is_first_spoken_of_when_it_is_called_off(world: World) -> None:
    world.comment("1", "110", "2026-03-09 09:00", jobid="J2")
    world.comment("1", "160", "2026-03-10 09:00", jobid="J1")
    world.row("1", "sent", jobid="J2")
    assert (world.only_item()["jobid"], world.judged()) == ("J2", ("matched", None))


@pytest.mark.parametrize(("first", "second", "booked"), [("J1", "J2", "J1"), ("J2", "J1", "J1"), ("J9", "J10", "J9")])
def test_sent_again_and_the_ledger_keeps_the_first_jobid(world: World, first: str, second: str, booked: str) -> None:
    """Where the numbers ascend, the row is not asked; where they do not, it is believed."""
    world.comment("1", "110", "2026-03-08 09:00", jobid=first)
    world.comment("1", "110", "2026-03-09 09:00", jobid=second)
    world.comment("1", "160", "2026-03-10 09:00", jobid=second)
    world.row("1", "sent", jobid=booked)
    assert world.judged() == ("status_conflict", "ended_in_ropo")


def test_sent_again_and_the_ledger_names_no_job(world: World) -> None:
    world.comment("1", "110", "2026-03-08 09:00", jobid="J2")
    world.comment("1", "160", "2026-03-10 09:00", jobid="J1")
    world.row("1", "sent", jobid=None)
    assert world.judged() == ("status_conflict", "ended_in_ropo")


def test_sent_again_and_the_ledger_names_several_jobs_so_that_it_says_of_none_that_it_is_the_newest(
    world: World,
) -> None:
    for hour, jobid in enumerate(("J3", "J1", "J2")):
        world.comment("1", "110", f"2026-03-10 0{hour}:00", jobid=jobid)
    for jobid in ("J1", "J3"):
        world.row("1", "sent", jobid=jobid)
    item = world.only_item()
    assert (item["jobid"], item["category"]) == ("J2", "ambiguous_match")


def test_sent_again_is_one_invoice_where_the_ledger_has_no_row_for_one_of_the_jobs(world: World) -> None:
    for jobid in ("J1", "J2"):
        world.comment("1", "98", jobid=jobid)
    for jobid in ("J1", "J3"):
        world.row("1", jobid=jobid)
    item = world.only_item()
    assert (item["invoice_key"], item["category"]) == ("b:1", "ambiguous_match")


def test_a_number_that_became_two_invoices_is_none_by_itself(world: World) -> None:
    world.row("1", jobid=None, changed_at=at("2026-03-10 08:00"))
    assert world.only_item()["invoice_key"] == "b:1"
    world.ledger("DELETE FROM ropo_ledger")
    for jobid in ("J1", "J2"):
        world.comment("1", "98", jobid=jobid)
        world.row("1", jobid=jobid)
    assert set(world.items(world.reconcile())) == {"j:J1", "j:J2"}


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
    world.row("1", "paid", paid="100", jobid=" J1 ")
    item = world.only_item()
    assert (item["invoice_key"], item["billnum"], item["category"]) == ("b:1", "1", "matched")


def test_rows_in_quarantine_under_a_number_that_many_share_are_one_name(world: World) -> None:
    """Each of them by itself would be met with each invoice of the number."""
    for place in range(20):
        world.payment("0", "100", jobid=f"J{place}")
        world.row("0", "paid", paid="100", jobid=f"J{place}")
        world.quarantine(json.dumps({"billnum": "0", "jobid": f"X{place}"}).encode(), NOW)

    with compared(world) as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT invoice_key) FROM resolved WHERE is_quarantined")
        assert cursor.fetchone() == (20, 20)


def test_an_item_is_found_by_its_key_so_that_each_of_many_dates_reads_its_own(world: World) -> None:
    with compared(world) as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT ropo_status FROM item WHERE invoice_key = 'b:1'")
        assert any("comparison_pkey" in line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("booked", ["new", "old"])
def test_a_job_goes_by_the_newest_number_that_its_events_say(world: World, booked: str) -> None:
    """Nobody goes by an earlier one any more, so that a row of that number is found by its job."""
    for number, billnum in enumerate(("old", "new", None)):
        world.comment(billnum, "98", f"2026-03-10 0{number}:00", jobid="J1")
    world.row(booked, jobid="J1")
    item = world.only_item()
    assert (item["invoice_key"], item["category"], item["event_count"]) == ("b:new", "matched", 3)


def test_a_row_of_a_jobid_is_found_by_it_where_nobody_goes_by_the_number_that_the_row_has(world: World) -> None:
    world.comment("1", "98", jobid="J1")
    world.row("2", jobid="J1")
    assert world.judged() == ("matched", None)


def test_an_event_with_a_number_alone_that_two_invoices_have_is_neithers(world: World) -> None:
    for jobid in ("J1", "J2"):
        world.comment("1", "98", jobid=jobid)
        world.row("1", jobid=jobid)
    world.comment("1", "98", jobid=None)
    items = world.items(world.reconcile())
    assert {key: item["category"] for key, item in items.items()} == {
        "b:1": "ambiguous_match",
        "j:J1": "matched",
        "j:J2": "matched",
    }


def test_a_row_of_a_number_that_two_invoices_have_and_of_the_job_of_a_third_leaves_none_of_them_certain(
    world: World,
) -> None:
    for billnum, jobid in (("1", "J1"), ("1", "J2"), ("2", "J3")):
        world.comment(billnum, "98", jobid=jobid)
        world.row("1", jobid=jobid)
    items = world.items(world.reconcile())
    assert {key: item["category"] for key, item in items.items()} == dict.fromkeys(
        ("b:2", "j:J1", "j:J2"), "ambiguous_match"
    )


def test_a_code_is_its_own_types_alone(world: World) -> None:
    world.comment("1", "1")  # as of a payment
    world.row("1")
    assert world.only_item()["category"] == "unknown_status"
