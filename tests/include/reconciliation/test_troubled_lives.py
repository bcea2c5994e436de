"""Whatever fails in some nights, the next one in which nothing fails makes up for it.

Lives are drawn, and held to the plain rules. ``FUZZ_EXAMPLES`` sets how many; ``make fuzz`` tries many.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.include.reconciliation.conftest import empty
from tests.include.reconciliation.month import FIRST, LAST
from tests.include.reconciliation.month_life import DAY
from tests.include.reconciliation.test_month_lives import (
    LIVES,
    amounts,
    codes,
    dates,
    decides,
    decisions,
    invoices,
    payments,
)
from tests.include.reconciliation.troubled_life import KINDS, Night, TroubledLife
from tests.include.reconciliation.world import World

DAYS = 8

happens = st.one_of(
    payments,
    payments,
    st.tuples(st.just(TroubledLife.says_otherwise), invoices, amounts, codes, dates),
    # Never 1: an empty ledger is one that shows nothing, and no night would know all.
    st.tuples(st.just(TroubledLife.takes_out), st.just("2")),
    st.just((TroubledLife.may_lose,)),
    st.tuples(st.just(TroubledLife.cannot_read), invoices),
    st.just((TroubledLife.is_proven,)),
    st.tuples(st.just(TroubledLife.is_run_again), st.sampled_from((FIRST, LAST, LAST + DAY))),
)
# What a night that is missing leaves is the next one's to make: there are more of both.
nights = st.sampled_from((*KINDS, "no run", "well", "well", "well"))
full = st.integers(0, 4).map(lambda number: number == 0)
days = st.tuples(st.lists(happens, max_size=2), nights, full, decisions, st.booleans())


def begins(world: World) -> TroubledLife:
    """Without a grace a difference is a break in the same night; few dates are compared again without a reason."""
    empty(world.store_dsn, world.ledger_dsn)
    profile = msgspec.structs.replace(world.profile, start_date=FIRST, grace_business_days=0, late_days=1)
    life = TroubledLife(World(world.store_dsn, world.ledger_dsn, profile))
    life.is_sent("1")
    return life


def states(life: TroubledLife) -> dict[str, list[tuple[int, str]]]:
    return {state: life.breaks(state) for state in ("open", "accepted", "resolved")}


def has_a_night(life: TroubledLife, what: Night, *, is_full: bool = False) -> bool:
    """Hold what the night came to to what it could know; tell whether that is all."""
    day, before = life.day, states(life)
    knows_all = life.passes_with(what, is_full=is_full)
    if what != "no run" and life.is_unknown(what, day):
        assert life.verdicts()[day] == "incomplete"
    if what == "blind":
        assert states(life) == before
    if knows_all:
        assert life.standing() == life.differing()
        verdicts = life.verdicts()
        assert sorted(verdicts) == [FIRST + number * DAY for number in range((day - FIRST).days + 1)]
        assert "incomplete" not in verdicts.values()
        assert life.flags() or not life.changes(), life.changes()
    return knows_all


@LIVES
@given(drawn=st.lists(days, min_size=DAYS, max_size=DAYS))
def test_a_night_that_knows_all_shows_what_differs_whatever_failed_before(world: World, drawn: list[Any]) -> None:
    life = begins(world)
    for steps, what, is_full, decision, signs in drawn:
        for step, *values in steps:
            step(life, *values)
        has_a_night(life, what, is_full=is_full)
        decides(life, decision)
        if signs and life.day > LAST + DAY and life.signs() is None:
            verdicts = life.verdicts()
            assert "incomplete" not in {verdicts[FIRST], verdicts[LAST]}
    life.is_proven()
    assert has_a_night(life, "well")
    assert has_a_night(life, "well", is_full=True)
    decides(life, "accept")
    why = life.signs()
    assert why is None or why.endswith("already")
