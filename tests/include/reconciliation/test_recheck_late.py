"""What no run of its own date could see is found by the rechecks of the nights after it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.include.reconciliation.asking import payment, reread
from tests.include.reconciliation.world import DAY, NOW, at

if TYPE_CHECKING:
    from include.config.profiles import Profile
    from tests.include.reconciliation.world import World

ONE = datetime.timedelta(days=1)


def nights(world: World, first: int, last: int, profile: Profile | None = None) -> dict[str, list[str]]:
    """Live through the nights after DAY; return what each of them found otherwise than before, by business date."""
    profile = profile or world.profile
    found: dict[str, list[str]] = {}
    for number in range(first, last + 1):
        day, now = DAY + number * ONE, NOW + number * ONE
        world.reconcile(day, now=now, reread_poll_id=world.know_all(day), profile=profile)
        for each in world.recheck(day, now=now, profile=profile).changed:
            reconciliation = each.reconciliation
            found.setdefault(str(reconciliation.business_date), []).append(reconciliation.verdict)
    return found


def breaks(world: World) -> list[tuple[str, str, datetime.date]]:
    return world.store("SELECT invoice_key, category, business_date FROM ropo.reconciliation_break ORDER BY break_id")


def test_a_change_that_the_ledger_shows_after_its_dates_run_is_found_by_the_next_night(world: World) -> None:
    """A long transaction of the ERP, a booking that is dated back, or a copy that was refreshed late."""
    world.row("1", sent_at=at("2026-03-01 08:00"), changed_at=at("2026-03-01 08:00"))
    world.comment("1", "110", "2026-03-01 09:00", seen=at("2026-03-01 09:00"))
    assert world.reconcile(reread_poll_id=world.know_all()).verdict == "reconciled"
    world.ledger(
        "UPDATE ropo_ledger SET status = 'cancelled', open = 0, credited = 100, changed_at = %s",
        (at("2026-03-10 18:00"),),
    )
    assert nights(world, 1, 3) == {str(DAY): ["pending", "breaks"]}
    assert breaks(world) == [("b:1", "status_conflict", DAY)]


@pytest.mark.parametrize(("late_days", "is_seen"), [(2, True), (1, False)])
def test_what_the_ledger_alone_shows_late_is_found_by_the_last_of_the_late_days_and_no_night_after(
    world: World, late_days: int, *, is_seen: bool
) -> None:
    profile = msgspec.structs.replace(world.profile, late_days=late_days)
    world.row("1", sent_at=at("2026-03-01 08:00"), changed_at=at("2026-03-01 08:00"))
    world.comment("1", "110", "2026-03-01 09:00", seen=at("2026-03-01 09:00"))
    assert world.reconcile(reread_poll_id=world.know_all(), profile=profile).verdict == "reconciled"
    world.ledger("UPDATE ropo_ledger SET status = 'cancelled', changed_at = %s", (at("2026-03-10 18:00"),))
    changed = world.recheck(DAY + 2 * ONE, now=NOW + 2 * ONE, profile=profile).changed
    assert (DAY in [each.reconciliation.business_date for each in changed]) == is_seen


@pytest.mark.parametrize("booked", [True, False])
def test_an_event_that_comes_later_than_late_days_is_compared_with_the_date_that_it_is_of(
    world: World, booked: bool
) -> None:
    lax = msgspec.structs.replace(world.profile, late_days=2)
    world.row("1", sent_at=at("2026-03-01 08:00"), changed_at=at("2026-03-01 08:00"))
    world.comment("1", "98")
    assert world.reconcile(reread_poll_id=world.know_all(), profile=lax).verdict == "reconciled"
    assert nights(world, 1, 4, lax) == {}
    world.payment("1", "40", seen=at("2026-03-15 10:00"))
    if booked:
        world.ledger("UPDATE ropo_ledger SET paid = 40, open = 60")

    found = nights(world, 5, 8, lax)

    assert found[str(DAY)] == (["reconciled"] if booked else ["breaks"])


@pytest.mark.parametrize("moved_to", ["2026-03-10", "2026-03-12", "2026-03-14"])
def test_an_event_that_comes_with_other_content_is_compared_with_the_date_that_it_is_of_or_was(
    world: World, moved_to: str
) -> None:
    lax = msgspec.structs.replace(world.profile, late_days=2)
    world.row("1", "paid", paid="100", sent_at=at("2026-03-01 08:00"), changed_at=at("2026-03-01 08:00"))
    statusid = world.payment("1", "100")
    assert world.reconcile(reread_poll_id=world.know_all(), profile=lax).verdict == "reconciled"
    assert nights(world, 1, 5, lax) == {}

    reread(world, datetime.date.fromisoformat(moved_to), payment("1", "90", moved_to, statusid=statusid))

    found = nights(world, 6, 6, lax)
    assert (found[str(DAY)], found[moved_to]) == (["pending"], ["pending"])
    # The ledger has it so by then: the day is another one, though both sides agree on it.
    world.ledger("UPDATE ropo_ledger SET paid = 90, total = 90")
    assert nights(world, 7, 7, lax)[str(DAY)] == ["reconciled"]


@pytest.mark.parametrize("is_new", [True, False], ids=["an event", "other content of one"])
def test_what_was_being_stored_while_a_date_was_compared_is_compared_with_it(world: World, *, is_new: bool) -> None:
    """When it came is told by the beginning of its transaction, of which the comparison saw nothing."""
    lax = msgspec.structs.replace(world.profile, late_days=0)
    world.row("1", "paid", paid="100")
    statusid = world.payment("1", "100")
    assert world.reconcile(reread_poll_id=world.know_all(), profile=lax).verdict == "reconciled"
    before = NOW - datetime.timedelta(minutes=30)
    if is_new:
        world.payment("1", "40", seen=before)
    else:
        for amount in ("95", "90"):
            reread(world, DAY, payment("1", amount, statusid=statusid))
        world.store(
            "UPDATE ropo.status_event_revision SET recorded_at = %s - (2 - revision) * interval '3 hours'", (before,)
        )
    # One date was looked at before it, and one after it.
    for date, hours in ((DAY - 2 * ONE, -6), (DAY - ONE, 2)):
        moment = NOW + datetime.timedelta(hours=hours)
        world.reconcile(date, now=moment, reread_poll_id=world.know_all(date), profile=lax)
    assert str(DAY) in nights(world, 1, 1, lax)


def test_an_invoice_that_ropo_never_speaks_of_is_a_difference_when_its_days_are_over(world: World) -> None:
    strict = msgspec.structs.replace(world.profile, first_event_days=8, late_days=2, recheck_days=5)
    sent = at("2026-03-10 08:00")
    world.row("1", sent_at=sent, changed_at=sent)
    assert world.reconcile(reread_poll_id=world.know_all(), profile=strict).verdict == "reconciled"
    assert nights(world, 1, 7, strict) == {}
    assert nights(world, 8, 11, strict) == {str(DAY): ["pending", "breaks"]}
    assert breaks(world) == [("j:J1", "missing_in_ropo", DAY)]


def test_what_a_full_comparison_left_pending_is_looked_at_with_its_date_when_its_grace_is_over(world: World) -> None:
    """An ERP that does not say what it changed: no date's run sees these invoices."""
    world.profile = msgspec.structs.replace(world.profile, grace_business_days=2)
    long_ago = at("2026-02-01 08:00")
    for billnum in ("1", "2", "3", "4"):
        world.row(billnum, sent_at=long_ago, changed_at=None)
        world.comment(billnum, "98", "2026-02-01 09:00", seen=at("2026-02-01 09:00"))
    world.reconcile(reread_poll_id=world.know_all())
    world.ledger("UPDATE ropo_ledger SET status = 'cancelled' WHERE billnum IN ('1', '3', '4')")
    full = world.reconcile(scope="full", reread_poll_id=world.know_all())
    assert (full.verdict, full.pending) == ("pending", 3)
    # Of one Ropo One speaks the day after: its run looks at it.
    world.comment("4", "160", "2026-03-11 09:00", seen=at("2026-03-11 09:00"))
    # One of them is mended before its grace is over.
    world.ledger("UPDATE ropo_ledger SET status = 'open' WHERE billnum = '3'")

    assert nights(world, 1, 5) == {str(DAY): ["breaks"]}

    assert breaks(world) == [("b:1", "status_conflict", DAY)]
    populations = "SELECT business_date, max(population) FROM ropo.reconciliation WHERE scope = 'date' GROUP BY 1"
    assert dict(world.store(populations))[DAY] == 2


def test_what_a_full_comparison_left_pending_is_looked_at_though_another_date_had_it_matched_before(
    world: World,
) -> None:
    """Most have been in the population of a date, and right then. The first night is the last that looks at it."""
    quick = msgspec.structs.replace(world.profile, late_days=1, recheck_days=1)
    before = datetime.date(2026, 2, 1)
    world.row("1", sent_at=at("2026-02-01 08:00"), changed_at=None)
    world.comment("1", "98", "2026-02-01 09:00", seen=at("2026-02-01 09:00"))
    dates = [before, *(DAY - number * ONE for number in (4, 3, 2, 1, 0))]
    found = [world.reconcile(date, reread_poll_id=world.know_all(date), now=NOW) for date in dates]
    assert [each.matched for each in found] == [1, 0, 0, 0, 0, 0]
    world.ledger("UPDATE ropo_ledger SET status = 'cancelled'")
    assert world.reconcile(scope="full", reread_poll_id=world.know_all()).pending == 1

    assert nights(world, 1, 5, quick) == {str(DAY): ["breaks"]}

    assert breaks(world) == [("b:1", "status_conflict", DAY)]


def test_what_a_full_comparison_left_pending_stays_with_the_date_that_shows_it(world: World) -> None:
    world.payment("1", "100", "2026-03-11", seen=at("2026-03-11 09:00"))
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all())
    later = DAY + ONE
    world.reconcile(later, now=NOW + ONE, reread_poll_id=world.know_all(later))
    assert world.reconcile(scope="full", now=NOW + ONE, reread_poll_id=world.know_all()).pending == 1
    assert nights(world, 2, 5) == {str(later): ["breaks"]}
    assert breaks(world) == [("b:1", "ledger_behind", later)]


def test_a_green_date_stays_so_while_something_else_is_not_known(world: World) -> None:
    """A doubt, a row in quarantine, or a ledger that shows nothing: what they hide comes as an event or a row."""
    world.comment("1", "98")
    world.row("1")
    assert world.reconcile(reread_poll_id=world.know_all()).verdict == "reconciled"
    night = DAY + ONE
    world.quarantine(b"{}", NOW + ONE)
    moments = {"opened_at": NOW + ONE, "closed_at": NOW + ONE}
    world.poll("drain", "in_doubt", recovery="pending", window_to=night, **moments)
    assert world.recheck(night, now=NOW + ONE).changed == []
    world.ledger("DELETE FROM ropo_ledger")
    assert world.recheck(night, now=NOW + ONE).changed == []
    # What a row in quarantine says of an invoice of the date is news of it.
    world.row("1")
    world.quarantine(b'{"billnum": "1"}', NOW + ONE)
    (changed,) = world.recheck(night, now=NOW + ONE).changed
    assert (changed.before, changed.reconciliation.verdict) == ("reconciled", "incomplete")


def test_one_reason_less_or_one_more_why_a_date_is_incomplete_is_told(world: World) -> None:
    world.row("1")
    world.quarantine(b"{}", NOW)
    moments = {"opened_at": NOW, "closed_at": NOW}
    world.poll("drain", "in_doubt", recovery="unproven", window_to=DAY, **moments)
    first = world.reconcile(reread_poll_id=world.know_all())
    assert [reason.word for reason in first.reasons] == ["doubt_not_recovered", "rows_in_quarantine"]
    world.store("UPDATE ropo.status_quarantine SET resolved_at = now()")
    (changed,) = world.recheck(DAY + ONE, now=NOW + ONE).changed
    assert [reason.word for reason in changed.reconciliation.reasons] == ["doubt_not_recovered"]
    world.quarantine(b"{ }", NOW + ONE)
    (changed,) = world.recheck(DAY + ONE, now=NOW + ONE).changed
    assert [reason.word for reason in changed.reconciliation.reasons] == ["doubt_not_recovered", "rows_in_quarantine"]


def test_an_invoice_that_is_overdue_before_a_weekend_breaks_after_it(world: World) -> None:
    strict = msgspec.structs.replace(world.profile, first_event_days=8, late_days=2, recheck_days=5)
    thursday = DAY + 2 * ONE
    sent = at("2026-03-12 08:00")
    world.row("1", sent_at=sent, changed_at=sent)
    world.reconcile(thursday, now=NOW + 2 * ONE, reread_poll_id=world.know_all(thursday), profile=strict)
    assert nights(world, 3, 15, strict) == {str(thursday): ["pending", "breaks"]}


def test_an_invoice_that_is_overdue_an_hour_later_by_the_change_of_the_clock_is_seen_by_the_next_night(
    world: World,
) -> None:
    strict = msgspec.structs.replace(world.profile, first_event_days=8, late_days=2, recheck_days=5)
    day, sent = datetime.date(2026, 3, 24), at("2026-03-24 21:45")
    world.row("1", sent_at=sent, changed_at=sent)
    world.reconcile(day, now=at("2026-03-24 22:30"), reread_poll_id=world.know_all(day), profile=strict)
    found = []
    for night in (datetime.date(2026, 4, 1), datetime.date(2026, 4, 2)):
        changed = world.recheck(night, now=at(f"{night} 21:30"), profile=strict).changed
        found.append([each.reconciliation.pending for each in changed if each.reconciliation.business_date == day])
    assert found == [[], [1]]


def test_what_came_late_is_compared_by_the_first_night_to_which_the_ledger_shows_anything(world: World) -> None:
    lax = msgspec.structs.replace(world.profile, late_days=0)
    world.comment("1", "98")
    world.row("1")
    assert world.reconcile(reread_poll_id=world.know_all(), profile=lax).verdict == "reconciled"
    world.payment("1", "40", seen=NOW + datetime.timedelta(hours=9))
    world.ledger("DELETE FROM ropo_ledger")
    blind = world.recheck(DAY + ONE, now=NOW + ONE, profile=lax)
    assert (blind.dates, blind.changed) == (1, [])
    world.row("1")
    (changed,) = world.recheck(DAY + ONE, now=NOW + 2 * ONE, profile=lax).changed
    assert changed.reconciliation.verdict == "breaks"


def test_a_full_comparison_that_the_ledger_showed_nothing_to_leaves_nothing_to_its_date(world: World) -> None:
    world.row("1", sent_at=at("2026-02-01 08:00"), changed_at=at("2026-03-01 08:00"))
    world.reconcile(datetime.date(2026, 3, 1), now=at("2026-03-02 00:00"))
    world.reconcile(reread_poll_id=world.know_all())
    world.ledger("ALTER TABLE ropo_ledger RENAME TO hidden")
    world.ledger("CREATE TABLE ropo_ledger (LIKE hidden)")
    assert world.reconcile(scope="full", reread_poll_id=world.know_all()).pending == 1
    world.ledger("DROP TABLE ropo_ledger")
    world.ledger("ALTER TABLE hidden RENAME TO ropo_ledger")
    nights(world, 1, 4)
    assert world.store(
        "SELECT max(population) FROM ropo.reconciliation WHERE scope = 'date' AND business_date = %s", (DAY,)
    ) == [(0,)]
