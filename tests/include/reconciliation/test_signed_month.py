"""A month that was signed lives on: what is its invoices' ordinary life, and what is a change of what was signed."""

from __future__ import annotations

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
    accepts,
    alerts,
    countersigns,
    flags,
    is_paid,
    is_sent_again,
    night,
    nothing_in_the_ledger,
    owe,
    recheck,
    run,
    run_all,
    sends,
    signs,
    status,
    unmet,
)
from tests.include.reconciliation.world import STATUS_MAP, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

DAY = datetime.timedelta(days=1)


def test_ordinary_payments_after_the_signature_change_nothing_of_a_green_month(march: World) -> None:
    billnums = ("3", "4", "5", "6", "7", "8")
    sends(march, *billnums)
    run(march, FIRST, now=night(FIRST))
    run(march, LAST, now=night(LAST))
    run(march, LAST, scope="full", now=night(LAST))
    recorded = []
    for number, billnum in enumerate(billnums):
        day = datetime.date(2026, 4, 1) + number * DAY
        if day == APRIL:
            signs(march, now=at("2026-04-02 08:00"))
        is_paid(march, billnum, day)
        run(march, day, now=night(day))
        recorded += recheck(march, day)
        if day == datetime.date(2026, 4, 4):
            countersigns(march)
    assert len(recorded) > 3, "what they became is recorded all the same"
    assert (flags(march), unmet(march), alerts(march)) == ([], [], [])


def test_nor_do_they_where_the_last_event_of_the_month_was_stored_right_before_its_date_was_compared(
    march: World,
) -> None:
    sends(march, "3")
    march.comment("3", "98", "2026-03-31 12:00", seen=night(LAST) - datetime.timedelta(seconds=20))
    run(march, FIRST, now=night(LAST))
    run(march, LAST, now=night(LAST))
    run(march, LAST, scope="full", now=night(LAST))
    signs(march, now=at("2026-04-02 08:00"))
    is_paid(march, "3", APRIL)
    run(march, APRIL, now=night(APRIL))
    assert (FIRST, "reconciled", "reconciled") in recheck(march, APRIL)
    assert (flags(march), alerts(march)) == ([], [])


@pytest.mark.parametrize("names", [("3", "J302"), ("3", "J301"), (None, "J302"), (None, "J301")], ids=str)
@pytest.mark.parametrize("is_booked", [True, False])
def test_a_late_payment_of_an_invoice_that_was_sent_again_is_a_change_by_whichever_job_it_comes(
    march: World, names: tuple[str | None, str], is_booked: bool
) -> None:
    is_sent_again(march)
    run_all(march)
    signs(march)
    march.payment(names[0], "100", "2026-03-30", jobid=names[1], seen=at("2026-04-09 09:00"))
    if is_booked:
        march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    recheck(march, datetime.date(2026, 4, 9))
    assert ("result_changed", FIRST) in flags(march)


@pytest.mark.parametrize(("minutes", "jobid"), [(0, "J3"), (2, "J3"), (40, "J3"), (40, "J301")])
def test_a_late_event_is_a_change_though_its_transaction_began_before_the_comparison(
    march: World, minutes: int, jobid: str
) -> None:
    """A re-read was under way for so long when the comparison was made, and a page was stored meanwhile."""
    if jobid == "J3":
        sends(march, "3")
    else:
        is_sent_again(march)
    march.comment("2", "98", "2026-03-31", seen=at("2026-04-08 07:50"))
    run_all(march)
    signs(march)
    began = at("2026-04-08 07:50") - datetime.timedelta(minutes=minutes)
    march.payment("3", "100", "2026-03-30", jobid=jobid, seen=began)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    recheck(march, datetime.date(2026, 4, 9))
    assert flags(march) == [("result_changed", FIRST)]


def test_a_further_discount_that_came_late_is_a_change_though_the_ledger_has_granted_it_too(march: World) -> None:
    sends(march, "3")
    march.payment("3", "5", "2026-03-30", kind="8", seen=at("2026-03-30 09:00"))
    march.ledger("UPDATE ropo_ledger SET discount = 5, open = 95 WHERE billnum = '3'")
    run_all(march)
    signs(march)
    march.payment("3", "10", "2026-03-30", kind="8", seen=at("2026-04-09 09:00"))
    march.ledger("UPDATE ropo_ledger SET discount = 15, open = 85 WHERE billnum = '3'")
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "reconciled", "reconciled")]
    assert flags(march) == [("result_changed", FIRST)]


def test_a_late_event_is_a_change_though_a_page_was_stored_by_a_clock_that_ran_ahead(march: World) -> None:
    sends(march, "3")
    march.comment("2", "98", "2026-03-31", seen=datetime.datetime.now(datetime.UTC) + 400 * DAY)
    run_all(march)
    signs(march)
    march.payment("3", "100", "2026-03-30", seen=datetime.datetime.now(datetime.UTC))
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    recheck(march, datetime.date(2026, 4, 9))
    assert flags(march) == [("result_changed", FIRST)]


@pytest.mark.parametrize("is_booked", [True, False])
def test_a_night_in_which_the_ledger_shows_nothing_leaves_a_late_event_to_the_next(
    march: World, is_booked: bool
) -> None:
    march.profile = msgspec.structs.replace(march.profile, late_days=2)
    sends(march, "3")
    run_all(march)
    signs(march)
    march.payment("3", "100", "2026-03-31", seen=at("2026-04-09 09:00"))
    if is_booked:
        march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    day = datetime.date(2026, 4, 9)
    with nothing_in_the_ledger(march):
        run(march, day, now=night(day))
        recheck(march, day)
    assert flags(march) == []
    day += DAY
    run(march, day, now=night(day))
    recheck(march, day)
    assert ("result_changed", LAST) in flags(march)


def test_nor_do_they_where_a_number_is_two_invoices_and_the_other_one_was_spoken_of_then(march: World) -> None:
    sent = at("2026-03-31 08:00")
    for jobid in ("J301", "J302"):
        march.row("3", jobid=jobid, sent_at=sent, changed_at=sent)
        march.comment("3", "98", "2026-03-31 09:00", jobid=jobid, seen=at("2026-03-31 09:00"))
    march.comment("3", "98", "2026-03-31 12:00", jobid="J302", seen=night(LAST) - datetime.timedelta(minutes=20))
    run(march, FIRST, now=night(LAST))
    run(march, LAST, now=night(LAST))
    run(march, LAST, scope="full", now=night(LAST))
    signs(march, now=at("2026-04-02 08:00"))
    march.payment("3", "100", str(APRIL), jobid="J301", seen=at(f"{APRIL} 10:00"))
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE jobid = 'J301'")
    run(march, APRIL, now=night(APRIL))
    assert (LAST, "reconciled", "reconciled") in recheck(march, APRIL)
    assert (flags(march), alerts(march)) == ([], [])


def test_a_quiet_night_after_a_month_was_signed_with_accepted_breaks_changes_nothing_of_it(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert (flags(march), alerts(march)) == ([], [])
    countersigns(march)


@pytest.mark.parametrize("is_signed_again", [False, True], ids=["signed once", "signed again"])
def test_a_quiet_night_after_a_month_was_signed_with_a_mended_break_changes_nothing_of_it(
    march: World, *, is_signed_again: bool
) -> None:
    if is_signed_again:
        # It opened after the first signature, and flagged that one.
        run_all(march)
        signs(march)
    owe(march)
    run_all(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    signs(march)
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert (flags(march), alerts(march)) == ([], [])
    countersigns(march)


def accepts_in_another_category(march: World) -> None:
    """What its date has as behind in the ledger a full comparison finds with another amount, and so it is accepted."""
    owe(march)
    run_all(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', total = 99, paid = 99, open = 0 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    accepts(march)


def test_a_difference_that_was_accepted_in_another_category_than_its_date_has_it_in_changes_nothing(
    march: World,
) -> None:
    accepts_in_another_category(march)
    assert march.store("SELECT category, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("ledger_behind", "resolved"),
        ("amount_mismatch", "accepted"),
    ]
    signs(march)
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert (flags(march), alerts(march)) == ([], [])


def test_an_accepted_break_that_is_mended_after_the_signature_is_a_change(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date) == ("result_changed", FIRST)
    assert alerts(march) == ["2026-03"]


def test_so_is_one_that_was_accepted_in_another_category_than_its_date_has_it_in(march: World) -> None:
    accepts_in_another_category(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET total = 100, paid = 100 WHERE billnum = '1'")
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert flags(march) == [("result_changed", FIRST)]


@pytest.mark.parametrize("is_renamed", ["before it is accepted", "as it is mended"])
def test_so_is_one_that_was_accepted_under_another_name_than_its_date_has_it_by(march: World, is_renamed: str) -> None:
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=0)
    march.row("9", "paid", paid="100", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    run_all(march)
    if is_renamed == "before it is accepted":
        march.comment("9", "98", "2026-04-02 09:00", seen=at("2026-04-02 09:00"))
        run(march, APRIL)
        run(march, APRIL, scope="full")
    accepts(march)
    assert march.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id") == (
        [("j:J9", "resolved"), ("b:9", "accepted")] if is_renamed == "before it is accepted" else [("j:J9", "accepted")]
    )
    signs(march)
    if is_renamed == "as it is mended":
        march.comment("9", "98", "2026-04-08 09:00", seen=at("2026-04-08 09:00"))
    march.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = '9'")
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert flags(march) == [("result_changed", FIRST)]


def test_an_accepted_break_makes_no_payment_of_another_invoice_of_its_date_a_change(march: World) -> None:
    sends(march, "3", "4")
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    for day, billnum in ((datetime.date(2026, 4, 15), "3"), (datetime.date(2026, 4, 20), "4")):
        is_paid(march, billnum, day)
        assert [date for date, *_ in recheck(march, day)] == [FIRST]
    assert (flags(march), alerts(march)) == ([], [])


def test_another_status_map_makes_no_payment_since_the_signature_a_change(march: World) -> None:
    sends(march, "3")
    run_all(march)
    signs(march)
    is_paid(march, "3", datetime.date(2026, 4, 20))
    newer = msgspec.structs.replace(STATUS_MAP, version="test2")
    assert [date for date, *_ in recheck(march, datetime.date(2026, 4, 30), status_map=newer)] == [FIRST]
    assert (flags(march), alerts(march)) == ([], [])


def test_other_amounts_of_an_accepted_break_are_a_change(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    run(march, FIRST, now=NOW + HOUR)
    assert flags(march) == [("result_changed", FIRST), ("break_reopened", FIRST)]


@pytest.mark.parametrize("day", ["2026-04-01", "2026-04-08"])
def test_a_payment_since_the_month_that_is_booked_within_its_grace_is_no_change_of_it(march: World, day: str) -> None:
    sends(march, "3")
    run_all(march)
    signs(march)
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=10)
    march.payment("3", "100", day, seen=NOW)
    assert run(march, FIRST, now=NOW + HOUR).pending == 1
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    assert run(march, FIRST, now=NOW + 24 * HOUR).pending == 0
    assert (flags(march), alerts(march)) == ([], [])


def test_what_the_ledger_makes_since_the_month_is_a_change_of_it_within_its_grace_and_when_ropo_one_tells_the_same(
    march: World,
) -> None:
    sends(march, "3")
    march.comment("3", "98", "2026-03-30 09:00", seen=at("2026-03-30 09:00"))
    run_all(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'")
    assert run(march, FIRST, now=NOW + HOUR).pending == 1
    assert flags(march) == [("result_changed", FIRST)]
    march.payment("3", "100", "2026-04-08", seen=NOW + 2 * HOUR)
    assert run(march, FIRST, now=NOW + 3 * HOUR).pending == 0
    assert flags(march) == [("result_changed", FIRST)] * 2


def test_a_payment_since_the_month_that_is_not_booked_within_its_grace_is_a_change_of_it(march: World) -> None:
    sends(march, "3")
    run_all(march)
    signs(march)
    march.payment("3", "100", "2026-04-08", seen=NOW)
    run(march, FIRST, now=NOW + HOUR)
    run(march, FIRST, now=NOW + 96 * HOUR)
    assert flags(march) == [("result_changed", FIRST), ("break_opened", FIRST)]


def test_a_payment_of_the_month_that_came_late_is_a_change_within_its_grace_too(march: World) -> None:
    sends(march, "3")
    run_all(march)
    signs(march)
    march.payment("3", "100", "2026-03-31", seen=NOW + HOUR)
    profile = msgspec.structs.replace(march.profile, grace_business_days=10)
    assert run(march, FIRST, now=NOW + 2 * HOUR, profile=profile).pending == 1
    assert flags(march) == [("result_changed", FIRST)]


def test_an_invoice_that_came_to_a_signed_date_is_a_change(march: World) -> None:
    run_all(march)
    signs(march)
    sends(march, "3")
    run(march, FIRST, now=NOW + HOUR)
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date) == ("result_changed", FIRST)


def test_other_content_of_an_event_of_the_month_is_a_change(march: World) -> None:
    run_all(march)
    signs(march)
    reread(march, FIRST, payment("1", "90", "2026-03-30", statusid="P1"))
    march.ledger("UPDATE ropo_ledger SET paid = 90, total = 90 WHERE billnum = '1'")

    run(march, FIRST, now=NOW + HOUR)

    assert flags(march) == [("result_changed", FIRST)]


def test_other_content_of_an_event_since_the_month_is_no_change_of_it(march: World) -> None:
    sends(march, "3")
    run_all(march)
    signs(march)
    is_paid(march, "3", APRIL)
    reread(march, APRIL, payment("3", "100", str(APRIL), statusid="P3", statusref="Betalning"))
    assert march.store("SELECT count(*) FROM ropo.status_event_revision") == [(1,)]
    run(march, FIRST, now=NOW + HOUR)
    assert flags(march) == []


@pytest.mark.parametrize("is_overlapped", [False, True], ids=["after it", "as it was compared"])
def test_other_content_that_takes_an_event_out_of_the_month_is_found_by_a_night_and_is_a_change(
    march: World, *, is_overlapped: bool
) -> None:
    """Both sides agree, before and after, and nobody compares the date by hand."""
    run_all(march)
    signs(march)
    reread(march, APRIL, payment("1", "90", str(APRIL), statusid="P1"))
    if is_overlapped:
        # It was being stored as the date was compared.
        march.store(
            "UPDATE ropo.status_event_revision SET recorded_at = "
            "(SELECT view_at - interval '30 seconds' FROM ropo.reconciliation WHERE reconciliation_id = 1)"
        )
    march.ledger("UPDATE ropo_ledger SET paid = 90, total = 90 WHERE billnum = '1'")

    assert recheck(march, datetime.date(2026, 4, 20)) == [(FIRST, "reconciled", "reconciled")]

    assert flags(march) == [("result_changed", FIRST)]
