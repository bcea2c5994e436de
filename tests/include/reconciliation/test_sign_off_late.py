"""What comes of a month after it, as where no night looks at its dates any more: is it the month's to settle."""

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


def compares_in_june(march: World) -> None:
    """The date on which it came, and then everything."""
    run(march, JUNE, now=at("2026-06-15 08:00"))
    run(march, JUNE, now=at("2026-06-15 09:00"), scope="full")


def test_a_payment_of_the_month_that_came_months_later_is_the_months_to_settle(march: World) -> None:
    sends(march, "3")
    run(march, FIRST)
    run(march, LAST)
    march.payment("3", "100", "2026-03-31", seen=at("2026-06-10 10:00"))
    compares_in_june(march)
    assert march.store("SELECT business_date FROM ropo.reconciliation_break") == [(JUNE,)]
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
    march.payment("1", "20", str(JUNE), seen=at("2026-06-10 10:00"))
    compares_in_june(march)
    assert march.store("SELECT invoice_key, business_date FROM ropo.reconciliation_break") == [("b:1", JUNE)]
    assert march.store("SELECT count(*) FROM ropo.status_event_revision") == [(1,)]
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
