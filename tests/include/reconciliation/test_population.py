"""Which invoices a business date is about."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.reconciliation import population, reconcile
from include.reconciliation.parts import take_unsettled
from tests.include.reconciliation.world import DAY, World, at

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

LONG_AGO = at("2026-02-01 10:00")


def _keys(world: World, **options: Any) -> set[str]:
    return set(world.items(world.reconcile(**options)))


def test_events_dated_that_day_and_events_first_stored_that_day(world: World) -> None:
    world.comment("dated", "98", "2026-03-10 00:00", seen=LONG_AGO)
    world.comment("stored", "98", "2026-02-01 09:00", seen=at("2026-03-10 12:00"))
    world.comment("neither", "98", "2026-02-01 09:00", seen=LONG_AGO)
    world.comment("stored at midnight", "98", "2026-02-01 09:00", seen=at("2026-03-09 22:00"))
    world.comment("day before", "98", "2026-03-09 23:59:59", seen=LONG_AGO)
    world.comment("day after", "98", "2026-03-11 00:00", seen=at("2026-03-10 22:00"))
    assert _keys(world) == {"b:dated", "b:stored", "b:stored at midnight"}


def test_the_day_is_the_markets_from_midnight_to_midnight(world: World) -> None:
    for number, moment in (("last second before", "21:59:59"), ("first second", "22:00:00")):
        world.row(number, changed_at=at(f"2026-03-09 {moment}"))
    for number, moment in (("last second", "21:59:59"), ("first after", "22:00:00")):
        world.row(number, sent_at=at(f"2026-03-10 {moment}"), changed_at=None)
    assert _keys(world) == {"j:Jfirst second", "j:Jlast second"}


def test_a_quarantined_row_of_another_invoices_job_makes_none_unparseable_whose_number_it_names(world: World) -> None:
    """Whether the other invoice is compared in the same pass must not matter."""
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.payment("2", "100", "2026-03-12", seen=at("2026-03-12 10:00"))
    world.row("2", "paid", paid="100")
    world.quarantine(b'{"jobid": "J2", "billnum": "1", "amount": "twelve"}', at("2026-03-01 10:00"))
    assert world.judged(now=at("2026-03-14")) == ("matched", None)
    found = world.items(world.reconcile(datetime.date(2026, 3, 12), now=at("2026-03-14")))
    assert {key: item["category"] for key, item in found.items()} == {"b:2": "unparseable"}


def test_nor_one_that_nothing_but_its_earlier_reconciliation_knows(world: World) -> None:
    world.row("1", jobid=None, changed_at=at("2026-03-10 08:00"))
    world.reconcile()
    world.ledger("DELETE FROM ropo_ledger")
    world.payment("2", "100", "2026-03-12", seen=at("2026-03-12 10:00"))
    world.quarantine(b'{"jobid": "J2", "billnum": "1", "amount": "twelve"}', at("2026-03-01 10:00"))
    assert world.judged() == ("missing_in_ledger", "row_gone")


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-03-29", "2026-03-28 22:00:00", "2026-03-29 20:59:59"),  # 23 hours
        ("2026-10-25", "2026-10-24 21:00:00", "2026-10-25 21:59:59"),  # 25 hours
    ],
)
def test_days_on_which_the_clock_changes_are_whole(world: World, day: str, first: str, last: str) -> None:
    second = datetime.timedelta(seconds=1)
    moments = {"first": at(first), "last": at(last), "before": at(first) - second, "after": at(last) + second}
    for number, moment in moments.items():
        world.row(number, changed_at=moment, sent_at=None)
    assert _keys(world, day=datetime.date.fromisoformat(day)) == {"j:Jfirst", "j:Jlast"}


def test_a_row_found_by_its_change_brings_in_events_of_any_date(world: World) -> None:
    world.payment("1", "100", "2026-02-01", seen=LONG_AGO)
    world.row("1", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    item = world.only_item()
    assert (item["category"], item["event_count"]) == ("matched", 1)


def test_an_event_brings_in_its_row_and_its_other_events_of_any_date(world: World) -> None:
    world.payment("1", "60", "2026-02-01", seen=LONG_AGO)
    world.payment("1", "40")
    world.row("1", "paid", paid="100")
    item = world.only_item()
    assert (item["category"], item["event_count"], item["ropo_paid"]) == ("matched", 2, 100)


def test_a_population_does_not_shrink_when_a_row_changes_again(world: World) -> None:
    world.row("1", changed_at=at("2026-03-10 08:00"))
    assert _keys(world) == {"j:J1"}
    world.ledger("UPDATE ropo_ledger SET changed_at = '2026-03-12 08:00Z'")
    assert _keys(world) == {"j:J1"}
    assert _keys(world, day=DAY + datetime.timedelta(days=1)) == set()


def test_nor_when_the_row_gets_its_jobid_or_ropo_speaks_of_it_at_last(world: World) -> None:
    world.row("1", jobid=None, changed_at=at("2026-03-10 08:00"))
    assert _keys(world) == {"b:1"}
    world.ledger("UPDATE ropo_ledger SET changed_at = '2026-03-12 08:00Z', jobid = 'J1'")
    assert _keys(world) == {"j:J1"}
    world.comment("1", "98", "2026-03-13 09:00", seen=at("2026-03-13 10:00"))
    assert _keys(world) == {"b:1"}


def test_a_row_deleted_after_green_is_told(world: World) -> None:
    world.row("1", changed_at=at("2026-03-10 08:00"))
    assert world.reconcile().matched == 1
    world.ledger("DELETE FROM ropo_ledger")
    item = world.only_item()
    assert (item["invoice_key"], item["category"], item["reason"]) == ("j:J1", "missing_in_ledger", "row_gone")
    assert (item["billnum"], item["jobid"]) == ("1", "J1")


def test_and_by_its_number_where_ropo_speaks_of_that_alone_meanwhile(world: World) -> None:
    world.row("1", changed_at=at("2026-03-10 08:00"))
    assert _keys(world) == {"j:J1"}
    world.ledger("DELETE FROM ropo_ledger")
    world.comment("1", "98", jobid=None)
    assert _keys(world) == {"b:1"}


def test_invoices_sent_before_the_start_are_out_of_scope_and_counted(world: World) -> None:
    world.comment("old", "98")
    world.row("old", sent_at=at("2026-02-28 21:59"))
    world.comment("new", "98")
    world.row("new", sent_at=at("2026-02-28 22:00"))
    world.comment("unsent", "98")
    world.row("unsent", sent_at=None)
    for billnum, sent_at in (("in part", at("2026-02-28 22:00")), ("unsent in part", None)):
        world.comment(billnum, "98")
        world.row(billnum, sent_at=at("2026-02-28 21:59"))
        world.row(billnum, sent_at=sent_at)
    profile = msgspec.structs.replace(world.profile, start_date=datetime.date(2026, 3, 1))
    result = world.reconcile(profile=profile)
    assert set(world.items(result)) == {"b:new", "b:unsent", "b:in part", "b:unsent in part"}
    assert (result.population, result.out_of_scope) == (4, 1)


def test_another_profile_does_not_exist_for_this_one(world: World) -> None:
    world.comment("1", "98")
    assert _keys(world, profile=msgspec.structs.replace(world.profile, name="other")) == set()


def test_keys_are_asked_of_the_ledger_in_batches_and_no_row_is_taken_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "KEYS_PER_BATCH", 3)
    for number in range(10):
        world.payment(str(number), "100")
        world.row(str(number), "paid", paid="100")
    world.row("9", "paid", paid="100")
    result = world.reconcile()
    assert result.categories == {"duplicate_in_ledger": {"pending": 1}, "matched": {"matched": 9}}


def test_a_jobid_that_reads_like_another_invoices_number_leads_to_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "KEYS_PER_BATCH", 1)
    for number, jobid in (("2", "0"), ("1", "2"), ("0", "9")):
        world.payment(number, "100", jobid=jobid)
        world.row(number, "paid", paid="100", jobid=jobid)
    # Sent again, and found by its number alone.
    world.comment("1", "98", "2026-02-01", seen=LONG_AGO, jobid="0-1")
    world.comment("0-1", "98", jobid="5")
    world.row("0-1", jobid="5")
    found = {key: (item["category"], item["event_count"]) for key, item in world.items(world.reconcile()).items()}
    assert found == {"b:0": ("matched", 1), "b:0-1": ("matched", 1), "b:1": ("matched", 2), "b:2": ("matched", 1)}


def test_a_full_comparison_takes_all_but_what_is_settled_on_both_sides(world: World) -> None:
    world.payment("settled", "100", "2026-02-01", seen=LONG_AGO)
    world.row("settled", "paid", paid="100")
    world.payment("behind", "100", "2026-02-01", seen=LONG_AGO)
    world.row("behind")
    world.row("open", changed_at=None, sent_at=None)
    world.comment("gone", "98", "2026-02-01 09:00", seen=LONG_AGO)
    result = world.reconcile(scope="full")
    assert {key: item["category"] for key, item in world.items(result).items()} == {
        "b:behind": "ledger_behind",
        "b:gone": "missing_in_ledger",
        "j:Jopen": "matched",
    }
    assert world.store("SELECT scope, population FROM ropo.reconciliation") == [("full", 3)]


def _kept(world: World) -> list[object]:
    """The jobs that a full comparison does not leave out before the rules, and how many events and rows remain."""
    kept: list[object] = []

    def looking(cursor: Cursor) -> None:
        jobids = "SELECT jobid FROM found_event UNION SELECT jobid FROM ledger_row"
        cursor.execute(f"SELECT jobid FROM ({jobids}) AS kept WHERE jobid IS NOT NULL ORDER BY jobid")
        kept.append([jobid for (jobid,) in cursor.fetchall()])
        cursor.execute("SELECT (SELECT count(*) FROM found_event), (SELECT count(*) FROM ledger_row)")
        kept.extend(cursor.fetchall())
        take_unsettled(cursor, world.profile, DAY)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reconcile, "take_unsettled", lambda cursor, *_: looking(cursor))
        world.reconcile(scope="full")
    return kept


def _settle(world: World, number: str, jobid: str | None = None) -> None:
    jobid = jobid or f"J{number}"
    world.payment(number, "100", "2026-02-01", seen=LONG_AGO, jobid=jobid)
    world.row(number, "paid", paid="100", jobid=jobid)


def test_what_is_plainly_settled_is_left_out_of_a_full_comparison_before_the_rules_are_applied(world: World) -> None:
    _settle(world, "settled")
    world.payment("behind", "100", "2026-02-01", seen=LONG_AGO)
    world.row("behind")
    assert _kept(world) == [["Jbehind"], (1, 1)]


def test_what_was_compared_before_ropo_one_spoke_of_it_is_as_plain_as_any_other(world: World) -> None:
    """Most invoices are: a date is compared as soon as they are sent."""
    world.row("settled", sent_at=at("2026-03-10 08:00"))
    world.row("nameless", jobid=None, sent_at=at("2026-03-10 08:00"))
    world.row("open", sent_at=at("2026-03-10 08:00"))
    world.row("rejobbed", sent_at=at("2026-03-10 08:00"))
    world.row("draft", jobid="Jrenumbered", sent_at=at("2026-03-10 08:00"))
    assert world.reconcile(reread_poll_id=world.know_all()).matched == 5
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum <> 'open'")
    world.ledger("UPDATE ropo_ledger SET jobid = 'Jnew' WHERE billnum = 'rejobbed'")
    world.ledger("UPDATE ropo_ledger SET billnum = 'renumbered' WHERE billnum = 'draft'")
    for number, jobid in (("settled", None), ("nameless", None), ("rejobbed", "Jnew"), ("renumbered", None)):
        world.payment(number, "100", "2026-03-11", jobid=jobid or f"J{number}")
    world.comment("open", "98", "2026-03-11")
    assert _kept(world) == [[], (0, 0)]


@pytest.mark.parametrize("sent_at", [None, at("2026-02-28 22:00")], ids=["unknown", "at the start"])
def test_what_a_ledger_leaves_out_of_a_row_makes_it_no_less_plain(
    world: World, sent_at: datetime.datetime | None
) -> None:
    world.profile = msgspec.structs.replace(world.profile, start_date=datetime.date(2026, 3, 1))
    world.payment("settled", "100", jobid="J1")
    world.comment("settled", "110", jobid="J1")
    world.row("settled", "paid", paid="100", jobid=None, discount=None, by_ropo=None, sent_at=sent_at)
    world.comment("open", "110")
    world.row("open", "sent", discount=None, by_ropo=None, sent_at=sent_at)
    # What another profile was told under its number.
    other = World(world.store_dsn, world.ledger_dsn, msgspec.structs.replace(world.profile, name="other"))
    other.payment("settled", "100", jobid="J9")
    assert _kept(world) == [[], (0, 0)]


def test_payments_of_both_kinds_in_parts_are_settled_by_their_sums(world: World) -> None:
    for amount, kind in (("60", "1"), ("38", "1"), ("2", "8")):
        world.payment("parts", amount, "2026-02-01", kind=kind)
    world.row("parts", "paid", paid="98", discount="2")
    for amount, kind in (("60", "1"), ("40", "8")):
        world.payment("otherwise", amount, "2026-02-01", kind=kind)
    world.row("otherwise", "paid", paid="40", discount="60")
    assert _kept(world) == [["Jotherwise"], (2, 1)]


def test_a_job_that_leads_elsewhere_by_a_number_is_kept(world: World) -> None:
    _settle(world, "settled")
    _settle(world, "again")
    world.comment("again", "98", jobid="Jopen")
    _settle(world, "booked")
    world.row("booked", jobid="Junspoken")
    _settle(world, "bare")
    world.comment("bare", "98", jobid=None)
    _settle(world, "nameless")
    world.row("nameless", jobid=None)
    kept = ["Jagain", "Jbare", "Jbooked", "Jnameless", "Jopen", "Junspoken"]
    assert _kept(world) == [kept, (6, 6)]


def test_a_job_of_several_numbers_is_kept_though_it_is_settled_under_each(world: World) -> None:
    _settle(world, "settled")
    _settle(world, "first", jobid="J")
    _settle(world, "second", jobid="J")
    assert _kept(world) == [["J"], (2, 2)]


def test_a_row_that_stands_twice_is_kept_though_the_sums_are_equal(world: World) -> None:
    _settle(world, "settled")
    for _ in range(2):
        _settle(world, "twice")
    assert _kept(world) == [["Jtwice"], (2, 2)]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"billnum": "1", "statustime": "2026-02-01 08:00:00"}',
        b'{"jobid": 1, "statustime": "2026-02-01 08:00:00"}',
        b'{"billnum": ["1"]}',
        b'{"billnum": true, "jobid": ""}',
        b"[1]",
        b"not json",
        b"\xff\xfe",
        b'{"billnum": "a\\u0000b"}',
        b'{"billnum": "\\ud800"}',
    ],
)
def test_quarantined_rows_of_any_form_are_survived(world: World, raw: bytes) -> None:
    world.quarantine(raw, at("2026-02-01"))
    assert _keys(world) == set()


def revised(world: World, statusid: str, former: dict[str, str]) -> None:
    """An event's content is another one since the day."""
    world.store(
        "INSERT INTO ropo.status_event_revision "
        "(profile, statusid, revision, poll_id, raw, content_sha256, recorded_at, jobid, billnum) "
        "VALUES ('default', %s, 1, %s, '{}', '', %s, %s, %s)",
        (statusid, world.poll_id, at("2026-03-10 09:00"), former.get("jobid"), former.get("billnum")),
    )


@pytest.mark.parametrize(("billnum", "jobid"), [("1", "J1"), ("1", None), (None, "J1")])
def test_an_event_of_any_date_that_came_with_other_content_that_day(
    world: World, billnum: str | None, jobid: str | None
) -> None:
    """The queue hands it over once more, or a re-read shows it: what the store held of it was another amount."""
    old = datetime.date(2026, 2, 17)
    world.row("1", "paid", paid="100", sent_at=at("2026-02-10 08:00"), changed_at=at("2026-02-17 12:00"))
    statusid = world.payment(billnum, "100", str(old), jobid=jobid, seen=at("2026-02-17 12:00"))
    assert world.reconcile(old, now=at("2026-02-18 00:00"), reread_poll_id=world.know_all(old)).verdict == "reconciled"
    world.store("UPDATE ropo.status_event SET amount = 60 WHERE statusid = %s", (statusid,))
    other = World(world.store_dsn, world.ledger_dsn, msgspec.structs.replace(world.profile, name="other"))
    other.payment("2", "100", statusid=statusid)
    revised(world, statusid, {})
    assert {key: item["category"] for key, item in world.items(world.reconcile()).items()} == {"b:1": "ledger_ahead"}
    assert world.reconcile(datetime.date(2026, 3, 11)).population == 0


def test_the_invoice_too_that_an_event_was_of_until_it_came_as_anothers_that_day(world: World) -> None:
    """Its former invoice lacks a payment now, which no date of its own shows before the end of the month."""
    old = datetime.date(2026, 2, 17)
    for billnum in ("1", "2"):
        world.row(billnum, "paid", paid="100", sent_at=at("2026-02-10 08:00"), changed_at=at("2026-02-17 12:00"))
    statusid = world.payment("1", "100", str(old), seen=at("2026-02-17 12:00"))
    world.store("UPDATE ropo.status_event SET jobid = 'J2', billnum = '2' WHERE statusid = %s", (statusid,))
    revised(world, statusid, {"jobid": "J1", "billnum": "1"})
    assert {key: item["category"] for key, item in world.items(world.reconcile()).items()} == {
        "b:2": "matched",
        "j:J1": "missing_in_ropo",
    }


def test_the_invoice_too_of_a_number_under_which_its_job_is_known_no_more_since_that_day(world: World) -> None:
    """Its job is another invoice's now, and the ledger's row still goes by its number."""
    old = datetime.date(2026, 2, 17)
    for billnum in ("1", "2"):
        sent_at, changed_at = at("2026-02-10 08:00"), at("2026-02-12 12:00")
        world.row(billnum, "paid", paid="100", jobid=None, sent_at=sent_at, changed_at=changed_at)
    statusid = world.payment("1", "100", str(old), seen=at("2026-02-17 12:00"))
    assert world.reconcile(old, now=at("2026-02-18 00:00"), reread_poll_id=world.know_all(old)).population == 1
    world.store("UPDATE ropo.status_event SET billnum = '2' WHERE statusid = %s", (statusid,))
    revised(world, statusid, {"jobid": "J1", "billnum": "1"})
    for day in (DAY, old):
        found = world.items(world.reconcile(day))
        assert {key: item["category"] for key, item in found.items()} == {"b:1": "missing_in_ropo", "b:2": "matched"}
