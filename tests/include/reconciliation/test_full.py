"""A full comparison: every invoice that is not settled on both sides, whatever its dates."""

from __future__ import annotations

import datetime
from contextlib import closing, nullcontext

import msgspec
import psycopg2
import pytest

from include.config.status_map import Meaning
from include.reconciliation.comparison import prepare
from include.reconciliation.ledger_contract import LedgerContractError
from include.reconciliation.population import ALL_TIME, gather, want
from include.reconciliation.sides import ledger_transaction
from include.status_store.database import connect
from tests.include.reconciliation.world import DAY, STATUS_MAP, World, at

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


def test_a_row_without_a_jobid_is_compared_once_whether_or_not_its_number_was_spoken_of(world: World) -> None:
    world.row("unspoken", jobid=None)
    world.row("sent again", jobid=None)
    for jobid in ("J1", "J2"):
        world.comment("sent again", "98", jobid=jobid)

    assert _categories(world) == {"b:unspoken": "matched", "b:sent again": "matched"}


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


def test_a_settled_invoice_of_which_a_job_is_spoken_of_under_another_number_is_kept_whole(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    for _ in range(2):
        world.comment("2", "98", jobid="J1")
    world.payment("1", "100", jobid="J9")
    result = world.reconcile(MONTH_END, now=LATER, scope="full")
    assert {key: (item["category"], item["event_count"]) for key, item in world.items(result).items()} == {
        "b:1": ("ambiguous_match", 1),
        "b:2": ("ambiguous_match", 3),
    }


def test_a_settled_invoice_that_shares_its_number_with_an_unsettled_one_is_kept_with_it(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.row("1", jobid=None)
    result = world.reconcile(MONTH_END, now=LATER, scope="full")
    assert {key: (item["category"], item["event_count"]) for key, item in world.items(result).items()} == {
        "b:1": ("ambiguous_match", 1)
    }


def test_a_settled_invoice_is_told_apart_from_one_whose_row_alone_says_that_it_has_its_number(world: World) -> None:
    """One number of two years; of this year's Ropo One has said the job alone."""
    world.payment("1", "100", jobid="J1")
    world.row("1", "paid", paid="100", jobid="J1")
    world.comment(None, "98", jobid="J2")
    world.row("1", jobid="J2")
    assert _categories(world) == {"j:J2": "matched"}


def test_of_what_is_plainly_open_the_record_is_that_of_the_rules(world: World) -> None:
    world.comment("1", "110")
    world.row("1", "sent", currency="SEK")
    of_a_date = world.only_item(reread_poll_id=world.know_all())
    of_all = world.only_item(scope="full")
    assert of_a_date.pop("reconciliation_id") < of_all.pop("reconciliation_id")
    assert of_a_date == of_all
    assert (of_all["category"], of_all["ropo_status"], of_all["ledger_status"]) == ("matched", "invoiced", "invoiced")


@pytest.mark.parametrize("paid", ["0", "100"])
def test_what_is_plain_and_was_sent_before_the_start_is_out_of_scope(world: World, paid: str) -> None:
    world.payment("1", "100") if int(paid) else world.comment("1", "110")
    world.row("1", paid=paid, sent_at=at("2026-02-20 08:00"))
    profile = msgspec.structs.replace(world.profile, start_date=datetime.date(2026, 3, 1))
    found = world.reconcile(scope="full", profile=profile)
    assert (found.population, found.out_of_scope) == (0, 1)


@pytest.mark.parametrize("names", ['"billnum": "{}"', '"jobid": "J{}"'], ids=["billnum", "jobid"])
def test_what_is_plain_and_waits_in_quarantine_is_for_the_rules(world: World, names: str) -> None:
    world.comment("1", "110")
    world.row("1", "sent")
    world.payment("2", "100")
    world.row("2", "paid", paid="100")
    for number in ("1", "2"):
        for amount in ("twelve", "ten"):
            row = f'{{{names.format(number)}, "amount": "{amount}"}}'
            world.quarantine(row.encode(), at("2026-03-10 10:00"))
    result = world.reconcile(MONTH_END, now=LATER, scope="full")
    assert {key: (item["category"], item["ledger_row_count"]) for key, item in world.items(result).items()} == {
        "b:1": ("unparseable", 1),
        "b:2": ("unparseable", 1),
    }


def test_a_break_under_a_former_name_of_what_is_plainly_open_now_is_over(world: World) -> None:
    world.row("1", "paid", paid="100")
    assert _categories(world) == {"j:J1": "missing_in_ropo"}
    world.reconcile(MONTH_END, now=at("2026-04-20 08:00"), scope="full")
    assert world.store("SELECT invoice_key, state FROM ropo.reconciliation_break") == [("j:J1", "open")]

    world.comment("1", "110")
    world.ledger("UPDATE ropo_ledger SET status = 'sent', paid = 0, open = 100")
    world.reconcile(MONTH_END, now=at("2026-04-21 08:00"), scope="full")

    query = "SELECT invoice_key, state, renamed_to FROM ropo.reconciliation_break"
    assert world.store(query) == [("j:J1", "resolved", "b:1")]


@pytest.mark.parametrize(
    ("at_first", "then", "jobid"),
    [("40", "60", "J1"), ("40", "60", None), (None, "100", "J1")],
    ids=["plainly", "not plainly", "under another name"],
)
def test_a_break_of_what_is_settled_now_is_over_and_the_next_comparison_leaves_it_out(
    world: World, at_first: str | None, then: str, jobid: str | None
) -> None:
    world.row("1", "paid", paid="100")
    if at_first:
        world.payment("1", at_first)
    for day in ("2026-04-01", "2026-04-20"):
        world.reconcile(MONTH_END, now=at(day), scope="full")
    world.payment("1", then, jobid=jobid)
    found = [world.reconcile(MONTH_END, now=at(day), scope="full") for day in ("2026-04-21", "2026-04-22")]
    assert world.store("SELECT state FROM ropo.reconciliation_break") == [("resolved",)]
    assert [each.population for each in found] == [1, 0]


@pytest.mark.parametrize(("billnum", "fault"), [("NULL", "null"), ("' '", "blank")])
def test_a_row_without_a_number_ends_it(world: World, billnum: str, fault: str) -> None:
    world.row("1")
    world.ledger(f"UPDATE ropo_ledger SET billnum = {billnum}")
    with pytest.raises(LedgerContractError, match=f"the row of jobid J1: column billnum is {fault}"):
        world.reconcile(MONTH_END, now=LATER, scope="full")


@pytest.mark.parametrize("status", ["open", " "])
def test_its_own_tables_are_gone_whether_it_ends_well_or_not(world: World, status: str) -> None:
    world.row("1", status)
    with nullcontext() if status.strip() else pytest.raises(LedgerContractError):
        world.reconcile(MONTH_END, now=LATER, scope="full")
    assert world.store("SELECT relname FROM pg_class WHERE relpersistence = 'u'") == []


def test_two_profiles_are_compared_in_full_at_once(world: World) -> None:
    """The second begins and ends while the tables of the first are there."""
    world.row("1")
    with closing(connect(world.store_dsn)) as first, first.cursor() as cursor:
        prepare(cursor, STATUS_MAP)
        with (
            closing(psycopg2.connect(world.ledger_dsn)) as ledger,
            ledger_transaction(ledger, world.profile) as reader,
        ):
            want(cursor, ALL_TIME)
            gather(cursor, reader, world.profile, ALL_TIME)
        other = msgspec.structs.replace(world.profile, name="other")
        assert world.reconcile(MONTH_END, now=LATER, scope="full", profile=other).population == 1


def test_what_another_profile_was_told_under_the_same_names_settles_nothing(world: World) -> None:
    other = World(world.store_dsn, world.ledger_dsn, msgspec.structs.replace(world.profile, name="other"))
    for billnum in ("1", "2"):
        other.payment(billnum, "100")
    world.comment("1", "98")
    world.row("1", "paid", paid="100")
    world.payment("2", "100")
    world.row("2", "paid", paid="100")
    world.comment("2", "130", jobid="J9")  # so that what is settled of it is compared all the same
    found = world.items(world.reconcile(MONTH_END, now=LATER, scope="full"))
    assert {key: (item["category"], item["event_count"]) for key, item in found.items()} == {
        "b:1": ("ledger_ahead", 1),
        "b:2": ("ledger_ahead", 2),
    }


def test_it_reads_events_in_the_form_in_which_the_rules_read_those_of_a_date(world: World) -> None:
    """Names that are compared by another rule than those on record would be looked up there without its indexes."""
    form = """
        SELECT attname, atttypid::regtype::text, attcollation
        FROM pg_attribute
        WHERE attrelid = 'found_event'::regclass AND attnum > 0
        ORDER BY attnum
    """
    with closing(connect(world.store_dsn)) as store, store.cursor() as cursor:
        prepare(cursor, STATUS_MAP)
        cursor.execute(form)
        of_a_date = cursor.fetchall()
        with (
            closing(psycopg2.connect(world.ledger_dsn)) as ledger,
            ledger_transaction(ledger, world.profile) as reader,
        ):
            gather(cursor, reader, world.profile, ALL_TIME)
        cursor.execute(form)
        assert cursor.fetchall() == of_a_date


def test_it_is_not_green_while_a_doubt_of_any_date_is_open(world: World) -> None:
    """A date's own reconciliation rests on the windows that reach it; this one on all of them."""
    world.row("1")
    world.comment("1", "98")
    moments = {"opened_at": at("2026-02-20 08:00"), "closed_at": at("2026-02-20 08:00")}
    window = {"window_from": datetime.date(2026, 2, 13), "window_to": datetime.date(2026, 2, 21)}
    world.poll("drain", "in_doubt", recovery="unproven", **moments, **window)
    assert world.reconcile(reread_poll_id=world.know_all()).verdict == "reconciled"
    full = world.reconcile(MONTH_END, now=LATER, scope="full", reread_poll_id=world.know_all(MONTH_END))
    assert (full.verdict, [reason.word for reason in full.reasons]) == ("incomplete", ["doubt_not_recovered"])


def test_a_type_and_a_code_are_not_another_type_and_code_that_read_alike(world: World) -> None:
    status_map = msgspec.structs.replace(
        STATUS_MAP, events={**STATUS_MAP.events, "letter sent": {"returned": Meaning()}}
    )
    world.row("1", "paid", paid="100")
    world.payment("1", "100")
    world.event("1", "2026-03-10 12:00", statustype="letter", statuscode="sent returned")

    found = world.reconcile(scope="full", status_map=status_map)

    assert list(found.categories) == ["unknown_status"]


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ({"statustype": "comment", "statuscode": "150", "statustext": "9"}, "status_conflict"),
        ({"statustype": "letter", "statuscode": "returned"}, "status_conflict"),
        ({"statustype": "letter", "statuscode": "98"}, "unknown_status"),
    ],
    ids=["an end whose text reads like a payment's type", "an end of another type", "a code of another type's"],
)
def test_what_is_settled_but_for_one_code_is_for_the_rules(world: World, said: dict[str, str], category: str) -> None:
    letters = {"letter": {"returned": Meaning(end="cancelled")}}
    world.row("1", "paid", paid="100")
    world.payment("1", "100")
    world.event("1", "2026-03-10 12:00", **said)

    found = world.reconcile(
        scope="full", status_map=msgspec.structs.replace(STATUS_MAP, events=STATUS_MAP.events | letters)
    )

    assert list(found.categories) == [category]


def test_what_is_paid_and_called_unpaid_by_the_ledgers_word_is_for_the_rules(world: World) -> None:
    words = {"dunned": Meaning(payment="unpaid")}
    world.row("1", "dunned", paid="100")
    world.payment("1", "100")

    found = world.reconcile(
        scope="full", status_map=msgspec.structs.replace(STATUS_MAP, ledger=STATUS_MAP.ledger | words)
    )

    assert list(found.categories) == ["ledger_behind"]


def test_what_only_the_ledger_has_as_paid_is_for_the_rules_though_its_word_does_not_say_so(world: World) -> None:
    world.comment("2", "110", jobid="J1")
    world.row("1", "sent", paid="100")
    assert _categories(world) == {"b:2": "ledger_ahead"}
