"""What the store holds of an invoice, told by the store alone."""

from __future__ import annotations

import datetime
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.profiles import Profile
from include.page_data import invoice
from include.page_data.invoice import find_invoices, payment_sums, read_invoice
from include.status_store.database import connect
from tests.include.reconciliation.world import STATUS_MAP, World
from tests.include.status_store.views import execute, query
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 3, 10)


@pytest.fixture
def worlds(store_dsn: str) -> tuple[World, World]:
    """What Ropo One says in two profiles; no ledger."""
    world, other = (World(store_dsn, "", Profile(name=name)) for name in ("default", "other"))
    return world, other


def test_rows_without_a_number_are_those_of_the_job_that_the_profiles_own_ledger_named_last(
    store: Connection, worlds: tuple[World, World]
) -> None:
    world, other = worlds
    said = [world.payment(None, "1", jobid=jobid) for jobid in ("EARLIER", "NOW", "OF ITS LEDGER", "OF ITS ROW")]
    other.payment("1", "1", jobid="OF ITS ROW", statusid="of the other")
    for profile, jobid in (("default", "EARLIER"), ("default", "NOW"), ("other", "OF ITS LEDGER")):
        record(store, DATE, "breaks", breaks=(broken("1", "1", jobid=jobid),), profile=profile)
    with store.cursor() as cursor:
        found = read_invoice(cursor, world.profile, "b:1")
    assert [event.statusid for event in found.events] == [said[1]]


def test_an_invoices_rows_are_its_own_profiles_each_once_and_in_the_order_of_their_numbers(
    store: Connection, worlds: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, other = worlds
    for statusid in ("A10", "C10", "C9", "C8"):
        world.comment("1", "98", statusid=statusid)
    for day in (7, 8):
        world.comment("1", "98", f"2026-03-0{day} 09:00", statusid=f"without a job 9{day}", jobid=None)
    for statusid in ("of another 1", "of another 2"):
        world.comment("2", "98", statusid=statusid)
    other.comment("1", "98", statusid="of another 1")
    other.comment("1", "98", statusid="of another 2", jobid=None)
    other.comment("3", "98", statusid="C9")
    other.comment("1", "98", jobid="J3", statusid="its")
    world.comment("3", "98", jobid="J3", statusid="of a third")
    for profile, number, raw in (("default", 2, "2"), ("default", 1, "1"), ("other", 1, "3")):
        execute(
            store,
            "INSERT INTO ropo.status_event_revision (profile, statusid, revision, content_sha256, raw, poll_id) "
            "VALUES (%s, 'C9', %s, '', %s, %s)",
            (profile, number, raw, world.poll_id),
        )
    with store.cursor() as cursor:
        found = read_invoice(cursor, world.profile, "b:1")
        by_job = read_invoice(cursor, world.profile, "j:J1")
        monkeypatch.setattr(invoice, "EVENTS_SHOWN", 1)
        cut = read_invoice(cursor, world.profile, "b:1")
    by_number = ["C8", "C9", "A10", "C10"]
    assert [event.statusid for event in found.events] == ["without a job 97", "without a job 98", *by_number]
    assert found.events[3].revisions == ["1", "2"]
    assert (found.jobid, found.renumbered) == ("J1", [])
    assert [event.statusid for event in by_job.events] == by_number
    assert by_job.billnum == "1"
    assert ([event.statusid for event in cut.events], cut.is_cut) == (["C10"], True)


def test_an_invoice_is_found_by_its_own_profiles_names_and_by_those_that_it_has_now(
    store: Connection, worlds: tuple[World, World]
) -> None:
    world, other = worlds
    for jobid in ("EARLIER", "NOW"):
        record(store, DATE, "breaks", breaks=(broken("1", "1", jobid=jobid),))
    record(store, DATE, "breaks", breaks=(broken("2", "1", jobid="J2"), broken("3", "1", jobid="J2"), broken("4", "1")))
    record(store, DATE, "breaks", breaks=(broken("9", "1", jobid="NOW"), broken("8", "1", jobid="J8")), profile="other")
    other.comment("6", "98", jobid="J6")
    other.comment("7", "98", jobid=None)
    for billnum, when in (("X", "2026-03-10 09:00"), ("Y", "2026-03-10 10:00")):
        world.comment(billnum, "98", when, jobid="JX")
    world.comment(None, "98", jobid="JN")
    told = {
        "1": [("b:1", "1", "NOW")], "NOW": [("b:1", "1", "NOW")], "2": [("b:2", "2", "J2")],
        "J2": [("b:2", "2", "J2"), ("b:3", "3", "J2")], "4": [("b:4", "4", None)], "8": [], "J8": [],
        "6": [], "J6": [], "7": [], "X": [("b:Y", "Y", "JX")], "JN": [("j:JN", None, "JN")],
    }  # fmt: skip
    with store.cursor() as cursor:
        found = {text: find_invoices(cursor, "default", text) for text in told}
        former = read_invoice(cursor, world.profile, "b:X")
    assert {text: [msgspec.structs.astuple(each) for each in every] for text, every in found.items()} == told
    assert former.renumbered == ["Y"]


def test_what_was_recorded_and_decided_of_an_invoice_and_when_it_was_asked_for_is_of_its_own_profile(
    store: Connection, worlds: tuple[World, World]
) -> None:
    world, other = worlds
    recorded = [record(store, DATE, "breaks", breaks=(broken("1", "1", jobid=jobid),)) for jobid in ("J1", None)]
    keep_break(store, recorded[1], "b:1", "ledger_behind", "open")
    theirs = record(store, DATE, "breaks", breaks=(broken("1", "1"),), profile="other")
    keep_break(store, theirs, "b:1", "ledger_behind", "open")
    later = datetime.datetime(2026, 3, 12, tzinfo=datetime.UTC)
    values = ("default", DATE, "date", recorded[1], "v1", later)
    execute(store, "INSERT INTO ropo.reconciled_date VALUES (%s, %s, %s, %s, %s, %s)", values)
    for kind in ("commented", "accepted", "reopened"):
        execute(
            store,
            "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note) "
            "SELECT break_id, 'Anna', %s, 'known' FROM ropo.reconciliation_break",
            (kind,),
        )
    [(break_id,)] = query(store, "SELECT break_id FROM ropo.reconciliation_break WHERE profile = 'default'")
    asked = [world.poll("billnum", "empty", filter_value="1", closed_at=later) for _ in range(2)]
    for each, kind, number in ((world, "billnum", "2"), (world, "date", "1"), (other, "billnum", "1")):
        each.poll(kind, "empty", filter_value=number, closed_at=later)
    with store.cursor() as cursor:
        found = read_invoice(cursor, world.profile, "b:1")
    started = datetime.datetime(2026, 3, 11, 2, tzinfo=datetime.UTC)
    assert [(seen.reconciliation_id, seen.started_at, seen.checked_at) for seen in found.seen] == [
        (recorded[1], started, later),
        (recorded[0], started, started),
    ]
    assert found.jobid == "J1"
    assert [each.break_id for each in found.breaks] == [break_id]
    assert [each.kind for each in found.history[break_id]] == ["commented", "accepted", "reopened"]
    assert [each.poll_id for each in found.inquiries] == asked[::-1]


def test_payments_are_summed_by_their_type_and_what_has_no_amount_is_counted_beside(
    worlds: tuple[World, World],
) -> None:
    world, _ = worlds
    world.event("1", "2026-03-08", statustype="Payment", statustext=" 1 ", amount="1.00", statusref="as it was called")
    world.payment("1", "4.00", "2026-03-08", kind="77")
    world.payment("1", None, "2026-03-09")
    world.payment("1", "2.00", "2026-03-10", statusref="as it is called")
    world.comment("1", "98", statustext="1", amount="8.00")
    with closing(connect(world.store_dsn)) as session, session.cursor() as cursor:
        events = read_invoice(cursor, world.profile, "b:1").events
    assert [msgspec.structs.astuple(each) for each in payment_sums(events, STATUS_MAP)] == [
        ("1", "paid", "as it is called", 3, 1, Decimal("3.00")),
        ("77", None, "Viesti", 1, 0, Decimal("4.00")),
    ]


def test_a_look_into_the_ledger_stands_where_the_markets_clock_has_it_and_only_where_it_saw_a_change(
    store: Connection, worlds: tuple[World, World]
) -> None:
    world, _ = worlds
    at_two, *later = (datetime.datetime(2026, 3, 11, hour, tzinfo=datetime.UTC) for hour in (2, 3, 4, 5))
    for started_at, total in ((at_two, "1"), (later[2], "2"), (later[0], "1"), (later[1], "2")):
        record(store, DATE, "breaks", breaks=(broken("1", total),), started_at=started_at)
    for clock in ("03:00", "04:00", "04:01"):
        world.comment("1", "98", f"2026-03-11 {clock}")
    with store.cursor() as cursor:
        found = read_invoice(cursor, world.profile, "b:1")
    assert [(f"{each.when:%H:%M}", each.look and each.look.ledger_cutoff) for each in found.timeline] == [
        ("03:00", None), ("04:00", None), ("04:00", at_two), ("04:01", None), ("06:00", later[1]),
    ]  # fmt: skip
    totals = [each.beside and each.beside.ledger_total for each in found.timeline]
    assert totals == [None, None, 1, 1, 2]
    for name in (
        "ledger_row_count", "ledger_status", "ledger_word", "ledger_total", "ledger_paid", "ledger_discount",
        "ledger_credited", "ledger_open",
    ):  # fmt: skip
        assert msgspec.structs.replace(found.seen[0], **{name: "another"}).ledger != found.seen[0].ledger, name


def test_a_grace_is_over_from_its_end_on_where_nothing_compared_it_since(
    store: Connection, worlds: tuple[World, World]
) -> None:
    end = datetime.datetime(2026, 3, 12, tzinfo=datetime.UTC)
    moment = datetime.timedelta(microseconds=1)
    record(store, DATE, breaks=(broken("1", "1", pending_until=end),), started_at=end - moment)
    with store.cursor() as cursor:
        [seen] = read_invoice(cursor, worlds[0].profile, "b:1").seen
    assert [seen.is_past_grace(now) for now in (end - moment, end)] == [False, True]
    assert not msgspec.structs.replace(seen, checked_at=end).is_past_grace(end)
    assert not msgspec.structs.replace(seen, pending_until=None).is_past_grace(end)
