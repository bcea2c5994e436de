"""A break is its invoice's, by whatever name that goes: by a number, or by a job, as both sides know of it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from include.reconciliation import reconcile as module
from tests.include.reconciliation.differing import HOUR, NEXT, accept, behind, history, states
from tests.include.reconciliation.month import run
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.include.reconciliation.world import World

ON_THE_DAY = at("2026-03-10 08:00")
LATE = at("2026-03-20 08:00")  # the grace of all that was first seen on the day is over


def paid_row(world: World, jobid: str | None) -> None:
    """The ledger knows an invoice as paid of which Ropo One has not spoken; and one more, that is right."""
    world.row("1", "paid", paid="100", jobid=jobid, changed_at=ON_THE_DAY)
    world.row("9", jobid="JX")


def breaks(world: World) -> None:
    """What differs on the day is a break by now."""
    run(world, DAY, now=ON_THE_DAY)
    run(world, DAY, now=LATE)


def spoken_of_by_another_job(world: World) -> str:
    paid_row(world, "J9")
    breaks(world)
    world.payment("1", "100", jobid="J1")
    return "j:J9"


def jobid_corrected(world: World) -> str:
    spoken_of_by_another_job(world)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    return "j:J9"


def jobid_filled_in_and_row_mended(world: World) -> str:
    paid_row(world, None)
    breaks(world)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1', status = 'open', paid = 0, open = 100 WHERE billnum = '1'")
    return "b:1"


def row_of_an_earlier_job_deleted(world: World) -> str:
    world.row("1", "open", jobid="J1", changed_at=ON_THE_DAY)
    world.row("1", "paid", paid="100", jobid="J2", changed_at=ON_THE_DAY)
    for jobid, hour in (("J1", "08"), ("J2", "09")):
        world.payment("1", "100", f"2026-03-10 {hour}:00", jobid=jobid)
    breaks(world)
    world.ledger("DELETE FROM ropo_ledger WHERE jobid = 'J1'")
    world.ledger("UPDATE ropo_ledger SET paid = 200, total = 200")
    return "j:J1"


@pytest.mark.parametrize("scope", ["date", "full"])
@pytest.mark.parametrize(
    "rename",
    [spoken_of_by_another_job, jobid_corrected, jobid_filled_in_and_row_mended, row_of_an_earlier_job_deleted],
)
def test_a_break_is_over_when_its_invoice_is_right_under_another_name(
    world: World, rename: Callable[[World], str], scope: str
) -> None:
    former = rename(world)
    assert [(key, state) for key, _, state in states(world)] == [(former, "open")]
    green = run(world, DAY, now=LATE + HOUR, scope=scope)
    assert green.verdict == "reconciled"
    [now] = world.store(
        "SELECT invoice_key FROM ropo.reconciliation_item WHERE reconciliation_id = %s AND billnum = '1'",
        (green.reconciliation_id,),
    )[0]
    assert [state for _, _, state in states(world)] == ["resolved"]
    assert history(world, former)[-1] == ("resolved", f"the invoice is known as {now} now")


def test_a_recheck_ends_such_a_break_too(world: World) -> None:
    jobid_corrected(world)
    world.recheck(NEXT, now=LATE + HOUR)
    assert states(world) == [("j:J9", "missing_in_ropo", "resolved")]


@pytest.mark.parametrize("scope", ["date", "full"])
@pytest.mark.parametrize(("jobid", "former"), [(None, "b:1"), ("J9", "j:J9")], ids=["none", "another"])
def test_an_erp_that_fills_in_the_jobid_begins_no_grace_and_ends_no_acceptance(
    world: World, jobid: str | None, former: str, scope: str
) -> None:
    paid_row(world, jobid)
    breaks(world)
    accept(world)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    again = run(world, DAY, now=LATE + HOUR, scope=scope)
    assert (again.verdict, again.pending, again.breaks, again.accepted) == ("reconciled", 0, 0, 1)
    assert states(world) == [(former, "missing_in_ropo", "resolved"), ("j:J1", "missing_in_ropo", "accepted")]
    assert history(world, "j:J1")[-1] == ("accepted", f"as {former} by Anna: known")


def test_a_recheck_follows_a_name_under_which_all_is_as_it_was(world: World) -> None:
    paid_row(world, None)
    breaks(world)
    accept(world)
    run(world, DAY, now=LATE)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    world.recheck(NEXT, now=LATE + HOUR)
    assert states(world) == [("b:1", "missing_in_ropo", "resolved"), ("j:J1", "missing_in_ropo", "accepted")]


def test_a_break_under_another_name_has_no_age_of_one_that_was_over_under_the_former(world: World) -> None:
    paid_row(world, None)
    breaks(world)
    paid_row(world, None)
    run(world, DAY, now=LATE + HOUR)
    world.ledger("DELETE FROM ropo_ledger")
    world.row("1", "paid", paid="100", changed_at=at("2026-03-11 08:00"))
    run(world, NEXT, now=LATE + 2 * HOUR)
    assert world.store("SELECT invoice_key, category, business_date FROM ropo.reconciliation_break ORDER BY 1, 2") == [
        ("b:1", "duplicate_in_ledger", DAY),
        ("b:1", "missing_in_ropo", DAY),
        ("j:J1", "missing_in_ropo", NEXT),
    ]


@pytest.mark.parametrize("grace", [0, 1])
def test_an_acceptance_does_not_spread_where_a_number_without_a_jobid_becomes_two_invoices(
    world: World, grace: int
) -> None:
    """Which of the two it was about, nobody can say."""
    world.profile = msgspec.structs.replace(world.profile, grace_business_days=grace)
    paid_row(world, None)
    breaks(world)
    accept(world)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    world.row("1", "paid", paid="100", jobid="J2", sent_at=ON_THE_DAY, changed_at=ON_THE_DAY)
    again = run(world, DAY, now=LATE + HOUR)
    assert (again.accepted, again.pending, again.breaks) == ((0, 2, 0) if grace else (0, 0, 2))
    assert [state for _, _, state in states(world)] == ["resolved"] + ["open"] * again.breaks


def test_nor_does_one_of_a_break_that_was_over_under_the_former_name(world: World) -> None:
    world.profile = msgspec.structs.replace(world.profile, grace_business_days=0)
    paid_row(world, None)
    breaks(world)
    accept(world)
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = '1'")
    run(world, DAY, now=LATE + HOUR)
    assert states(world) == [("b:1", "missing_in_ropo", "resolved")]
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1', status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    again = run(world, DAY, now=LATE + 2 * HOUR)
    assert (again.accepted, again.breaks) == (0, 1)


def test_nor_does_a_grace(world: World) -> None:
    paid_row(world, None)
    run(world, DAY, now=ON_THE_DAY)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    world.row("1", "paid", paid="100", jobid="J2", sent_at=ON_THE_DAY, changed_at=ON_THE_DAY)
    items = world.items(run(world, DAY, now=LATE))
    assert [items[key]["pending_until"] is None for key in ("j:J1", "j:J2")] == [False, False]


def test_nor_does_that_of_a_name_that_a_row_in_quarantine_names_with_the_job_of_another_invoice(world: World) -> None:
    paid_row(world, None)
    breaks(world)
    world.comment("2", "98", "2026-03-11 09:00", seen=at("2026-03-11 10:00"))
    world.row("2")
    world.ledger("UPDATE ropo_ledger SET billnum = '3' WHERE billnum = '1'")
    world.quarantine(b'{"jobid": "J2", "billnum": "1"}', at("2026-03-11 10:00"))
    item = world.items(run(world, NEXT, now=LATE + HOUR))["b:2"]
    assert (item["category"], item["pending_until"] is None) == ("unparseable", False)


def test_a_difference_that_is_pending_keeps_its_grace_under_another_name(world: World) -> None:
    paid_row(world, None)
    first = world.items(run(world, DAY, now=ON_THE_DAY))["b:1"]
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    item = world.items(run(world, DAY, now=LATE))["j:J1"]
    assert (item["grace_from"], item["pending_until"]) == (first["grace_from"], None)


@pytest.mark.parametrize("category", ["ledger_behind", "missing_in_ledger"])
def test_a_name_that_another_job_still_goes_by_keeps_its_break_and_its_acceptance(world: World, category: str) -> None:
    """Of two jobs under one number the newer one turns out to be another invoice's; the older one differs as it did."""
    world.payment("1", "100", "2026-03-10 08:00", jobid="J1")
    world.comment("1", "98", "2026-03-10 09:00", jobid="J2")
    if category == "ledger_behind":
        world.row("1", jobid="J1")
    world.row("2", jobid=None)
    breaks(world)
    accept(world)
    world.comment("2", "98", "2026-03-11 09:00", jobid="J2", seen=at("2026-03-11 10:00"))
    assert world.items(run(world, NEXT, now=LATE + HOUR))["b:2"]["category"] == "matched"
    assert states(world) == [("b:1", category, "accepted")]
    again = run(world, DAY, now=LATE + 2 * HOUR)
    assert (again.verdict, again.accepted) == ("reconciled", 1)
    assert [kind for kind, _ in history(world)] == ["opened"]


def test_so_does_one_that_a_row_of_the_ledger_still_goes_by(world: World) -> None:
    world.comment("1", "98", jobid="J1")
    for billnum in ("1", "2"):
        world.row(billnum, "paid", paid="100", jobid=None)
    breaks(world)
    accept(world)
    world.payment("2", "100", "2026-03-11", jobid="J1", seen=at("2026-03-11 10:00"))
    assert world.items(run(world, NEXT, now=LATE + HOUR))["b:2"]["category"] == "matched"
    assert states(world) == [("b:1", "ledger_ahead", "accepted")]


@pytest.mark.parametrize("was_compared", [False, True], ids=["spoken of together", "spoken of one by one"])
def test_an_acceptance_follows_its_own_job_where_one_number_becomes_two_invoices(
    world: World, *, was_compared: bool
) -> None:
    behind(world)
    if was_compared:
        run(world, DAY, now=ON_THE_DAY)
    world.comment("1", "98", "2026-03-10 10:00", jobid="J2")
    breaks(world)
    accept(world)
    world.row("1", jobid="J2", total="50")
    again = run(world, DAY, now=LATE + HOUR)
    assert (again.accepted, again.breaks) == (0, 1)
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("j:J1", "ledger_behind", "open")]
    assert history(world)[-1] == ("resolved", "the invoice is known as j:J2 now")


def test_it_does_so_where_the_number_was_each_ones_before(world: World) -> None:
    world.comment("1", "98", jobid="J1")
    world.row("1", jobid="J1")
    run(world, DAY, now=ON_THE_DAY)
    world.payment("1", "100", "2026-03-10 10:00", jobid="J2")
    breaks(world)
    accept(world)
    world.row("1", jobid="J2")
    again = run(world, DAY, now=LATE + HOUR)
    assert (again.matched, again.accepted) == (1, 1)
    assert states(world)[-1] == ("j:J2", "ledger_behind", "accepted")


def test_a_run_that_lost_a_name_ends_no_break_of_it_that_a_later_view_has_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its breaks were still to be worked in when the ERP had its old jobid again and another run had looked."""
    paid_row(world, "J9")
    breaks(world)
    world.ledger("UPDATE ropo_ledger SET jobid = NULL WHERE billnum = '1'")
    with monkeypatch.context() as patch:
        patch.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        run(world, DAY, now=LATE + HOUR)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J9' WHERE billnum = '1'")
    run(world, DAY, now=LATE + 2 * HOUR)
    assert ("j:J9", "missing_in_ropo", "open") in states(world)
    assert [kind for kind, _ in history(world, "j:J9")] == ["opened"]


def test_of_two_runs_that_wait_to_be_worked_in_the_newer_one_says_what_an_invoice_is_known_as(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid_row(world, None)
    breaks(world)
    with monkeypatch.context() as patch:
        patch.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
        run(world, DAY, now=LATE + HOUR)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J2' WHERE billnum = '1'")
    run(world, DAY, now=LATE + 2 * HOUR)
    assert history(world)[-1] == ("resolved", "the invoice is known as j:J2 now")
