"""What is within its grace holds a month up where it is of the month, and not where it is what came since alone."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.include.reconciliation.asking import payment, reread
from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    LAST,
    NOW,
    nothing_in_the_ledger,
    owe,
    run,
    run_all,
    sends,
    status,
    unmet,
)
from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

PENDING = [(FIRST, "pending"), (LAST, "pending")]


def run_dates(march: World, now: datetime.datetime) -> None:
    for day in (FIRST, LAST):
        run(march, day, now=now)


def test_a_pending_date_must_wait(march: World) -> None:
    owe(march, "2")
    run(march, FIRST)
    run(march, LAST, now=at("2026-04-01 08:00"))
    run(march, LAST, scope="full")
    [pending] = status(march, at("2026-04-01 09:00")).unmet[:1]
    assert (pending.date, pending.what) == (LAST, "pending")
    assert "1 invoice of 2026-03-31 differs within the grace, at the latest until 2026-04-02 00:00" in pending.why
    assert pending.why.endswith("the date is compared again by itself then")
    march.profile = msgspec.structs.replace(march.profile, recheck_days=7, grace_business_days=12)
    run(march, LAST, now=at("2026-04-01 08:00"))
    [pending] = status(march, NOW + datetime.timedelta(days=7)).unmet[:1]
    assert pending.why.endswith("run the date again then"), "no recheck takes a date of so long ago"


def test_what_is_past_its_grace_is_not_called_within_it_months_later(march: World) -> None:
    owe(march, "2")
    run(march, FIRST)
    run(march, LAST, now=at("2026-04-01 08:00"))
    run(march, LAST, scope="full")
    [pending] = [each for each in status(march, at("2026-07-01 08:00")).unmet if each.what == "pending"]
    assert pending.why == (
        "1 invoice of 2026-03-31 differs, is past its grace since 2026-04-02 00:00 EEST and was not compared again; "
        "ask for the date to be run again"
    )
    [pending] = [each for each in status(march, at("2026-04-01 20:59")).unmet if each.what == "pending"]
    assert "within the grace, at the latest until 2026-04-02 00:00" in pending.why
    [pending] = [each for each in status(march, at("2026-04-01 21:00")).unmet if each.what == "pending"]
    assert "within the grace" not in pending.why


def test_so_must_one_with_what_the_ledger_made(march: World) -> None:
    sent = at("2026-03-31 08:00")
    march.row("5", "paid", paid="100", sent_at=sent, changed_at=sent)
    march.comment("5", "98", "2026-03-31 09:00", seen=at("2026-03-31 09:00"))
    run(march, FIRST)
    run(march, LAST, now=at("2026-04-01 08:00"))
    assert march.store("SELECT category, caused_on FROM ropo.reconciliation_item WHERE category <> 'matched'") == [
        ("ledger_ahead", None)
    ]
    assert unmet(march) == [(LAST, "pending"), (None, "full_missing")]


def test_a_payment_of_the_next_month_that_is_booked_a_morning_later_holds_up_no_month(march: World) -> None:
    sends(march, "3", "4")
    run_all(march)
    march.payment("3", "100", "2026-04-08", seen=NOW)
    run(march, FIRST, now=NOW + HOUR)
    assert unmet(march) == []
    march.payment("4", "100", "2026-03-31", seen=NOW)
    run(march, FIRST, now=NOW + 2 * HOUR, profile=msgspec.structs.replace(march.profile, grace_business_days=10))
    assert unmet(march) == [(FIRST, "pending")]


def test_what_is_of_the_month_and_pending_in_the_full_comparison_alone_holds_it_up_until_its_date_has_it(
    march: World,
) -> None:
    sent = at("2026-03-31 08:00")
    for billnum in ("3", "4"):
        march.row(billnum, sent_at=sent, changed_at=sent)
    first = at("2026-04-01 00:00")
    run(march, FIRST, now=first)
    run(march, LAST, now=first)
    march.payment("3", "100", "2026-03-31", seen=at("2026-04-01 05:00"))
    march.payment("4", "100", "2026-04-01", seen=at("2026-04-01 05:30"))
    assert run(march, LAST, scope="full", now=at("2026-04-01 06:00")).pending == 2
    [found] = status(march, at("2026-04-01 08:00")).unmet
    assert (found.what, found.scope) == ("full_pending", "full")
    assert found.why == (
        "1 invoice of the full comparison of 2026-03-31 differs within the grace, by what is of the month or before, "
        "at the latest until 2026-04-02 00:00 EEST; the nightly run compares the dates that have it, or ask for the "
        "full comparison to be run again then"
    )
    [found] = status(march, at("2026-05-01 08:00")).unmet
    assert found.why == (
        "1 invoice of the full comparison of 2026-03-31 differs by what is of the month or before, is past its grace "
        "since 2026-04-02 00:00 EEST and was not compared again; ask for the full comparison to be run again"
    )
    # Neither a full comparison of before, nor a date without it, another profile's, one after the month, or one that
    # the ledger shows nothing to is a date of it.
    run(march, FIRST, now=at("2026-04-01 08:10"))
    other = dataclasses.replace(march, profile=msgspec.structs.replace(march.profile, name="other"))
    other.payment("3", "100", "2026-03-31", seen=at("2026-04-01 05:00"))
    assert run(other, LAST, now=at("2026-04-01 08:30")).pending >= 1
    run(march, datetime.date(2026, 2, 28), scope="full", now=at("2026-04-01 09:00"))
    march.comment("3", "98", "2026-04-01 08:00", seen=at("2026-04-01 08:00"))
    assert run(march, datetime.date(2026, 4, 1), now=at("2026-04-01 09:30")).pending == 2
    assert [each.what for each in status(march, at("2026-04-01 09:40")).unmet] == ["full_pending"]
    with nothing_in_the_ledger(march):
        run(march, LAST, now=at("2026-04-01 10:00"))
    assert "full_pending" in [each.what for each in status(march, at("2026-04-01 11:00")).unmet]
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    run(march, LAST, now=at("2026-04-01 22:30"))
    assert unmet(march, at("2026-04-02 08:00")) == []


def test_it_is_held_up_no_more_by_a_night_that_finds_its_date_as_it_was(march: World) -> None:
    """The full comparison read the ledger before the payment was booked, and was recorded after its date."""
    sends(march, "3")
    march.payment("3", "100", "2026-03-31", seen=at("2026-03-31 20:00"))
    night = at("2026-04-01 00:00")
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    run(march, FIRST, now=night)
    run(march, LAST, now=night)
    march.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = '3'")
    assert run(march, LAST, scope="full", now=night).pending == 1
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    assert unmet(march, at("2026-04-01 08:00")) == [(LAST, "full_pending")]
    found = march.recheck(datetime.date(2026, 4, 1), now=at("2026-04-01 22:30"))
    assert LAST not in [each.reconciliation.business_date for each in found.changed]
    assert unmet(march, at("2026-04-02 08:00")) == []


def test_a_payment_of_the_next_month_hides_none_of_the_month_that_is_not_booked_either(march: World) -> None:
    """An invoice is paid in two parts, and the ledger has neither; both are within its grace."""
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=5)
    sends(march, "3")
    march.payment("3", "40", "2026-03-31", seen=at("2026-03-31 10:00"))
    run_dates(march, at("2026-03-31 22:30"))
    march.payment("3", "60", "2026-04-01", seen=at("2026-04-01 10:00"))
    run_dates(march, at("2026-04-01 22:30"))
    run(march, datetime.date(2026, 4, 1), now=at("2026-04-01 23:00"), scope="full")
    morning = at("2026-04-02 06:00")
    assert unmet(march, morning) == [*PENDING, (datetime.date(2026, 4, 1), "full_pending")]
    # Found right once, it has nothing of the month to book any more.
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    run(march, LAST, now=morning)
    march.payment("3", "-10", "2026-04-02", seen=at("2026-04-02 10:00"))
    run_dates(march, at("2026-04-02 22:30"))
    run(march, APRIL, now=at("2026-04-03 04:00"), scope="full")
    assert unmet(march, at("2026-04-03 06:00")) == []


def test_nor_does_it_hide_one_that_came_late_with_it(march: World) -> None:
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=5)
    sends(march, "3", "4")
    for billnum in "34":
        march.comment(billnum, "98", "2026-03-30 09:00", seen=at("2026-03-30 09:00"))
    run_all(march)
    march.payment("4", "100", "2026-04-07", seen=NOW)
    run(march, LAST, now=NOW + HOUR)
    run(march, FIRST, now=NOW + HOUR)
    assert unmet(march, NOW + HOUR) == []
    march.payment("3", "40", "2026-03-31", seen=NOW + HOUR)
    march.payment("3", "60", "2026-04-07", seen=NOW + HOUR)
    run_dates(march, NOW + 2 * HOUR)
    assert unmet(march, NOW + 2 * HOUR) == PENDING
    assert status(march, NOW + 2 * HOUR).dates[0].held_up == 1


def test_nor_one_that_came_with_another_amount_before_it(march: World) -> None:
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=5)
    sends(march, "3")
    march.ledger("UPDATE ropo_ledger SET paid = 40, open = 60 WHERE billnum = '3'")
    march.payment("3", "40", "2026-03-30", statusid="P93", seen=at("2026-03-30 09:00"))
    run_all(march)
    march.payment("3", "20", "2026-04-07", seen=NOW + HOUR)
    run(march, FIRST, now=NOW + 2 * HOUR)
    assert unmet(march, NOW + 2 * HOUR) == []
    reread(march, FIRST, payment("3", "50", "2026-03-30", statusid="P93"))
    run(march, FIRST, now=NOW + 4 * HOUR)
    assert unmet(march, NOW + 4 * HOUR) == [(FIRST, "pending")]
    # Found right with it, it has nothing of the month to book any more.
    march.store("UPDATE ropo.status_event_revision SET recorded_at = recorded_at - interval '1 hour'")
    march.ledger("UPDATE ropo_ledger SET paid = 70, open = 30 WHERE billnum = '3'")
    run(march, FIRST, now=NOW + 5 * HOUR)
    march.comment("3", "101", "2026-04-08 12:00", seen=NOW + 5 * HOUR)
    run(march, FIRST, now=NOW + 6 * HOUR)
    assert (status(march, NOW + 6 * HOUR).dates[0].pending, unmet(march, NOW + 6 * HOUR)) == (1, [])


@pytest.mark.parametrize(
    ("code", "paid", "is_held_up"), [("130", "60", True), ("101", "60", True), ("130", "100", False)]
)
def test_nor_what_else_ropo_one_had_told_of_the_month_but_where_all_is_paid_since(
    march: World, code: str, paid: str, *, is_held_up: bool
) -> None:
    """What was paid since is all that the money differs by; the ledger has not heard of the reminder either."""
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=5)
    sends(march, "3")
    march.ledger("UPDATE ropo_ledger SET status = 'sent' WHERE billnum = '3'")
    march.comment("3", code, "2026-03-31 09:00", seen=at("2026-03-31 09:00"))
    run_dates(march, at("2026-03-31 22:30"))
    march.payment("3", paid, "2026-04-01", seen=at("2026-04-01 10:00"))
    run_dates(march, at("2026-04-01 22:30"))
    run(march, datetime.date(2026, 4, 1), now=at("2026-04-01 23:00"), scope="full")
    held_up = [*PENDING, (datetime.date(2026, 4, 1), "full_pending")]
    assert unmet(march, at("2026-04-02 06:00")) == (held_up if is_held_up else [])


def test_what_was_paid_since_is_so_however_its_type_is_written(march: World) -> None:
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=5)
    sends(march, "3")
    march.comment("3", "98", "2026-03-30 09:00", seen=at("2026-03-30 09:00"))
    paid = {"statustype": "Payment", "statustext": "1", "amount": "100"}
    march.event("3", "2026-04-01", seen=at("2026-04-01 10:00"), **paid)
    run_all(march)
    assert (status(march).dates[0].pending, unmet(march)) == (1, [])


def test_nor_what_the_ledger_alone_had_booked_in_the_month(march: World) -> None:
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=5)
    sends(march, "3")
    march.ledger("UPDATE ropo_ledger SET paid = 40, open = 60 WHERE billnum = '3'")
    run(march, FIRST, now=at("2026-03-30 22:30"))
    run(march, LAST, now=at("2026-03-31 22:30"))
    march.payment("3", "100", "2026-04-01", seen=at("2026-04-01 10:00"))
    run(march, FIRST, now=at("2026-04-01 22:30"))
    run(march, datetime.date(2026, 4, 1), now=at("2026-04-01 23:00"), scope="full")
    assert unmet(march, at("2026-04-02 06:00")) == [(FIRST, "pending"), (datetime.date(2026, 4, 1), "full_pending")]
