"""What comes of a month after it, as where no night looks at its dates any more: is it the month's to settle."""

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
    accepts,
    books_wrongly,
    is_sent_again,
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

JUNE = datetime.date(2026, 6, 10)
LATER = at("2026-06-15 10:00")


def without_grace(march: World) -> None:
    """Both dates are right, and what differs later is a break at once."""
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=0)
    run(march, FIRST)
    run(march, LAST)


def was(
    world: World,
    statusid: str,
    recorded_at: str = "2026-06-10 10:00",
    *,
    when: str = "2026-03-30",
    jobid: str = "J1",
    billnum: str = "1",
) -> None:
    """What an event said before, until then."""
    world.store(
        "INSERT INTO ropo.status_event_revision "
        "(profile, statusid, revision, content_sha256, raw, poll_id, recorded_at, statustime, jobid, billnum) "
        "VALUES (%s, %s, 1, '', '{}', %s, %s, %s, %s, %s)",
        (world.profile.name, statusid, world.poll_id, at(recorded_at), when, jobid, billnum),
    )


def compares_in_june(march: World) -> None:
    """The date on which it came, and then everything."""
    run(march, JUNE, now=at("2026-06-15 08:00"))
    run(march, JUNE, now=at("2026-06-15 09:00"), scope="full")


def test_a_payment_of_the_month_that_came_months_later_is_the_months_to_settle(march: World) -> None:
    sends(march, "3")
    run(march, FIRST)
    run(march, LAST)
    march.payment("3", "100", "2026-03-31 14:00", seen=at("2026-06-10 10:00"))
    compares_in_june(march)
    assert march.store("SELECT business_date FROM ropo.reconciliation_break") == [(JUNE,)]
    assert unmet(march, LATER) == [(JUNE, "full_open_breaks")]


def test_so_is_one_that_came_with_a_payment_since_the_month(march: World) -> None:
    sends(march, "3", "4")
    for billnum in "34":
        march.comment(billnum, "98", "2026-03-30 09:00", seen=at("2026-03-30 09:00"))
    without_grace(march)
    march.payment("4", "60", str(JUNE), seen=at("2026-06-10 09:00"))
    compares_in_june(march)
    assert unmet(march, LATER) == []
    for date, amount in (("2026-03-31", "40"), (str(JUNE), "60")):
        march.payment("3", amount, date, seen=at("2026-06-10 10:00"))
    compares_in_june(march)
    assert unmet(march, LATER) == [(JUNE, "full_open_breaks")]


@pytest.mark.parametrize("names", [("3", "J302"), ("3", "J301"), (None, "J302"), (None, "J301")], ids=str)
def test_so_is_one_of_an_invoice_that_was_sent_again_by_whichever_job_it_comes(
    march: World, names: tuple[str | None, str]
) -> None:
    is_sent_again(march)
    run(march, FIRST)
    run(march, LAST)
    march.payment(names[0], "100", "2026-03-30", jobid=names[1], seen=at("2026-06-10 10:00"))
    compares_in_june(march)
    assert march.store("SELECT invoice_key, business_date FROM ropo.reconciliation_break") == [("b:3", JUNE)]
    assert unmet(march, LATER) == [(JUNE, "full_open_breaks")]


def test_a_difference_by_other_content_of_an_event_of_the_month_is_the_months_to_settle(march: World) -> None:
    """It came months later, where no night looks at the month's dates any more."""
    without_grace(march)
    reread(march, FIRST, payment("1", "90", "2026-03-30", statusid="P1"))
    march.store("UPDATE ropo.status_event_revision SET recorded_at = %s", (at("2026-06-10 10:00"),))
    compares_in_june(march)
    assert march.store("SELECT invoice_key, business_date FROM ropo.reconciliation_break") == [("b:1", JUNE)]
    assert unmet(march, LATER) == [(JUNE, "full_open_breaks")]


def test_a_later_difference_is_not_the_months_by_another_label_of_an_event_of_the_month(march: World) -> None:
    without_grace(march)
    reread(march, FIRST, payment("1", "100", "2026-03-30", statusid="P1", statusref="Betalning"))
    other = dataclasses.replace(march, profile=msgspec.structs.replace(march.profile, name="other"))
    was(other, other.payment("1", "100", str(JUNE), statusid="P1"))
    march.payment("1", "20", str(JUNE), seen=at("2026-06-10 10:00"))
    compares_in_june(march)
    assert march.store("SELECT invoice_key, business_date FROM ropo.reconciliation_break") == [("b:1", JUNE)]
    assert march.store("SELECT profile FROM ropo.status_event_revision ORDER BY 1") == [("default",), ("other",)]
    assert unmet(march, LATER) == []


def test_a_later_difference_is_not_the_months_by_what_had_changed_by_its_end_or_was_of_a_later_one(
    march: World,
) -> None:
    without_grace(march)
    seen = at("2026-03-31 09:00")
    was(march, march.comment("1", "98", "2026-03-30 09:00", seen=seen), "2026-03-31 10:00")
    was(march, march.comment("2", "98", "2026-03-30 09:00", seen=seen), "2026-03-31 10:00")
    was(march, march.comment("2", "98", "2026-04-02 09:00", seen=seen), when="2026-04-01")
    books_wrongly(march, "1")
    run(march, JUNE, now=LATER, scope="full")
    assert unmet(march, LATER) == []


@pytest.mark.parametrize("is_older", [False, True], ids=["first spoken of in May", "spoken of in March"])
def test_what_only_a_full_comparison_has_shown_is_the_months_unless_ropo_one_spoke_of_it_after_the_month_alone(
    march: World, is_older: bool
) -> None:
    if is_older:
        march.comment("9", "98", "2026-03-31 09:00", seen=at("2026-03-31 09:00"))
    sent = at("2026-03-30 08:00") if is_older else at("2026-05-08 08:00")
    march.row("9", sent_at=sent, changed_at=sent)
    without_grace(march)
    march.payment("9", "100", "2026-05-10", seen=at("2026-05-10 10:00"))
    run(march, datetime.date(2026, 5, 31), now=at("2026-06-01 09:00"), scope="full")
    [(date, caused_on)] = march.store(
        "SELECT business_date, caused_on FROM ropo.reconciliation_break AS known "
        "JOIN ropo.reconciliation_item AS item USING (profile, invoice_key, category)"
    )
    assert (date, caused_on) == (datetime.date(2026, 5, 31), datetime.date(2026, 5, 10))
    assert [what for _, what in unmet(march, LATER)] == (["full_open_breaks"] if is_older else [])


@pytest.mark.parametrize(
    "moved", [{"when": "2026-04-02"}, {"billnum": "2"}], ids=["to another month", "to another invoice"]
)
def test_a_difference_by_an_event_of_the_month_that_is_elsewhere_since_is_the_months_to_settle(
    march: World, moved: dict[str, str]
) -> None:
    without_grace(march)
    now = {"billnum": "1", "when": "2026-03-30", **moved}
    reread(march, datetime.date.fromisoformat(now["when"]), payment(now["billnum"], "90", now["when"], statusid="P1"))
    march.store("UPDATE ropo.status_event_revision SET recorded_at = %s", (at("2026-06-10 10:00"),))
    compares_in_june(march)
    assert (JUNE,) in march.store("SELECT business_date FROM ropo.reconciliation_break WHERE jobid = 'J1'")
    [left] = status(march, LATER).unmet
    assert left.what == "full_open_breaks"
    # The one that it was of before.
    assert "invoice 1" in left.why or "job J1" in left.why


@pytest.mark.parametrize("names", [{"jobid": "J1", "billnum": "2"}, {"jobid": "J2", "billnum": "1"}], ids=str)
def test_so_is_one_by_an_event_that_bore_one_of_the_invoices_names_alone(march: World, names: dict[str, str]) -> None:
    without_grace(march)
    was(
        march,
        march.comment("2", "98", "2026-03-30 09:00", seen=at("2026-03-31 09:00")),
        when="2026-03-31 14:00",
        **names,
    )
    books_wrongly(march, "1")
    run(march, JUNE, now=LATER, scope="full")
    assert unmet(march, LATER) == [(JUNE, "full_open_breaks")]


def test_what_something_after_the_month_caused_is_a_later_dates_though_a_full_comparison_found_it(
    march: World,
) -> None:
    """It differs otherwise by the next date that has it."""
    sends(march, "3")
    without_grace(march)
    march.payment("3", "100", "2026-06-05", seen=at("2026-06-05 10:00"))
    run(march, LAST, now=at("2026-06-08 08:00"), scope="full")
    assert march.store("SELECT business_date FROM ropo.reconciliation_break") == [(datetime.date(2026, 6, 5),)]
    march.ledger(
        "UPDATE ropo_ledger SET status = 'paid', paid = 50, discount = 50, open = 0, changed_at = '2026-06-10 08:00Z' "
        "WHERE billnum = '3'"
    )
    compares_in_june(march)
    assert march.store("SELECT state, business_date FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("resolved", datetime.date(2026, 6, 5)),
        ("open", JUNE),
    ]
    assert unmet(march, LATER) == []


def test_what_a_date_of_the_month_shows_too_is_its_to_settle_though_a_later_one_broke_first(march: World) -> None:
    march.payment("1", "20", "2026-04-02", seen=at("2026-04-02 09:00"))
    assert run(march, FIRST, now=at("2026-04-02 22:00")).pending == 1
    run(march, LAST)
    run(march, APRIL)
    assert march.store("SELECT state, business_date FROM ropo.reconciliation_break") == [("open", APRIL)]
    run(march, LAST, scope="full")
    assert unmet(march) == [(FIRST, "open_breaks")]


def test_a_difference_of_the_last_date_is_not_settled_by_differing_otherwise_on_a_later_one(march: World) -> None:
    owe(march, "2")
    run_all(march)
    books_wrongly(march, "2")
    run(march, LAST, scope="full", now=NOW + HOUR)
    assert unmet(march) == [(LAST, "open_breaks"), (LAST, "full_open_breaks")]


def test_what_a_full_comparison_alone_shows_is_the_months_where_the_ledger_made_it(march: World) -> None:
    without_grace(march)
    march.row("9", "paid", paid="100", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    run(march, APRIL, scope="full")
    assert march.store("SELECT business_date FROM ropo.reconciliation_break") == [(APRIL,)]
    assert unmet(march) == [(APRIL, "full_open_breaks")]


def test_a_full_comparison_that_is_run_again_does_not_make_later_differences_the_months(march: World) -> None:
    run_all(march)
    run(march, APRIL, scope="full")
    march.payment("3", "100", "2026-04-02", seen=at("2026-04-02 09:00"))
    march.row("3", sent_at=at("2026-04-01 08:00"), changed_at=at("2026-04-01 08:00"))
    assert run(march, APRIL).breaks == 1
    assert unmet(march) == [], "nor where the full comparison is of their date, and was made before"
    assert run(march, LAST, scope="full", now=NOW + HOUR).breaks == 1
    assert march.store("SELECT business_date FROM ropo.reconciliation_break") == [(APRIL,)]
    assert unmet(march) == []


@pytest.mark.parametrize("scope", ["date", "full"])
def test_what_was_mended_and_is_back_is_its_dates_to_settle_beside_what_was_accepted_there(
    march: World, scope: str
) -> None:
    sends(march, "3")
    march.payment("3", "100", "2026-03-30", seen=at("2026-03-30 10:00"))
    run(march, FIRST)
    accepts(march)
    owe(march)
    run(march, FIRST)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    run_all(march)
    assert unmet(march) == []
    owe(march)
    march.ledger("UPDATE ropo_ledger SET changed_at = '2026-04-02 08:00Z' WHERE billnum = '1'")
    run(march, APRIL, now=NOW + HOUR, scope=scope)
    of_full = [(APRIL, "full_open_breaks")] if scope == "full" else []
    assert unmet(march) == [(FIRST, "open_breaks"), *of_full]
