"""Breaks of invoices that a moved start_date leaves out are closed, and say why."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.reconciliation import reconcile as module
from tests.include.reconciliation.differing import HOUR, OVER, accept, behind, breaks, history, states
from tests.include.reconciliation.world import DAY

if TYPE_CHECKING:
    from include.config.profiles import Profile
    from tests.include.reconciliation.world import World


def later_start(world: World) -> Profile:
    """The profile with a ``start_date`` after the day on which the invoices were sent."""
    return msgspec.structs.replace(world.profile, start_date=DAY)


@pytest.mark.parametrize("scope", ["date", "full"])
def test_a_break_of_an_invoice_that_start_date_leaves_out_is_resolved_and_says_why(world: World, scope: str) -> None:
    for billnum in ("1", "2"):
        behind(world, billnum)
    world.ledger("UPDATE ropo_ledger SET sent_at = '2026-03-08 08:00+00' WHERE billnum = '1'")
    world.reconcile(now=OVER)
    later = msgspec.structs.replace(world.profile, start_date=datetime.date(2026, 3, 9))

    moved = world.reconcile(now=OVER + HOUR, profile=later, scope=scope)

    assert moved.out_of_scope == 1
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("b:2", "ledger_behind", "open")]
    assert breaks(world)[0]["resolved_at"] == OVER + HOUR
    why = "it was sent before start_date, which is 2026-03-09 now: out of scope"
    assert history(world) == [("opened", None), ("resolved", why)]

    world.reconcile(now=OVER + 2 * HOUR, profile=later, scope=scope)
    assert len(history(world)) == 2, "it is closed once"


def test_an_accepted_break_that_start_date_leaves_out_is_resolved_too(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    accept(world)
    world.reconcile(now=OVER + HOUR, profile=later_start(world))
    assert states(world) == [("b:1", "ledger_behind", "resolved")]


def test_a_start_date_that_is_moved_back_reopens_what_it_had_left_out(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.reconcile(now=OVER + HOUR, profile=later_start(world))
    world.reconcile(now=OVER + 2 * HOUR)
    assert [kind for kind, _ in history(world)] == ["opened", "resolved", "reopened"]
    assert states(world) == [("b:1", "ledger_behind", "open")]


def test_a_run_that_left_an_invoice_out_closes_nothing_that_a_later_view_has_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its breaks were still to be worked in when the date was moved back and another run had looked."""
    behind(world)
    world.reconcile(now=OVER)
    with monkeypatch.context() as patch:
        patch.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(now=OVER + HOUR, profile=later_start(world))
    world.reconcile(now=OVER + 2 * HOUR)
    assert states(world) == [("b:1", "ledger_behind", "open")]
    assert [kind for kind, _ in history(world)] == ["opened"]


def test_a_view_of_an_empty_ledger_keeps_no_break_of_an_invoice_that_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing of any invoice, though it was the later one."""
    behind(world)
    world.reconcile(now=OVER)
    with monkeypatch.context() as patch:
        patch.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(now=OVER + HOUR, profile=later_start(world))
    world.ledger("DELETE FROM ropo_ledger")
    world.reconcile(now=OVER + 2 * HOUR, profile=later_start(world))
    assert states(world) == [("b:1", "ledger_behind", "resolved")]
