"""Whatever becomes of a month's invoices: what stands each morning, what is signed, and what is flagged after it.

Lives are drawn, and each morning is held to the plain rules. ``FUZZ_EXAMPLES`` sets how many; ``make fuzz`` tries many.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.include.reconciliation.conftest import empty
from tests.include.reconciliation.month import FIRST, LAST
from tests.include.reconciliation.month_life import DAY, MonthLife
from tests.include.reconciliation.world import World

LIVES = settings(
    max_examples=max(3, int(os.environ.get("FUZZ_EXAMPLES", "0")) // 20),
    deadline=None,
    # The same lives in every run of `make test`; others in each `make fuzz`.
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    # A life takes a second: making one that fails smaller would take many minutes.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
NIGHTS = 7
# Good Friday and Easter Monday lie ahead of the first dates of April.
NIGHTS_OF_GRACE = 8

invoices = st.sampled_from(("1", "2"))
amounts = st.sampled_from(("100", "100", "50", "-50", "-100"))
codes = st.sampled_from(("98", "110", "120", "130", "150", "101"))
dates = st.sampled_from((FIRST, LAST, None, None))
booked = st.sampled_from((("100", "paid"), ("0", "open"), ("50", "open"), ("0", "due"), ("0", "reminded")))
steps = st.one_of(
    st.tuples(st.just(MonthLife.is_paid), invoices, amounts, dates),
    st.tuples(st.just(MonthLife.is_told), invoices, codes, dates),
    st.builds(lambda invoice, ledger: (MonthLife.books, invoice, *ledger), invoices, booked),
    st.tuples(st.just(MonthLife.credits), invoices),
    st.tuples(st.just(MonthLife.is_sent), invoices),
)
# Mostly payments, and few of them are booked.
payments = st.one_of(
    st.tuples(st.just(MonthLife.is_paid), st.just("1"), amounts, dates),
    st.tuples(st.just(MonthLife.is_paid), invoices, amounts, st.none()),
    steps,
)
decisions = st.sampled_from(("nothing", "accept", "accept", "accept one", "open again"))


def lives(happens: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Days: what happens, whether the night compares everything, what people do in the morning, whether they sign."""
    full = st.integers(0, 5).map(lambda number: number == 0)
    day = st.tuples(st.lists(happens, max_size=2), full, decisions, st.booleans())
    return st.lists(day, min_size=NIGHTS, max_size=NIGHTS)


def begins(world: World, grace: int) -> MonthLife:
    empty(world.store_dsn, world.ledger_dsn)
    profile = msgspec.structs.replace(world.profile, start_date=FIRST, grace_business_days=grace)
    life = MonthLife(World(world.store_dsn, world.ledger_dsn, profile))
    life.is_sent("1")
    return life


def lives_a_day(life: MonthLife, day: tuple[Any, ...]) -> None:
    happens, is_full, _, _ = day
    for step, *values in happens:
        step(life, *values)
    life.passes(is_full=is_full or life.day == LAST + DAY)


def decides(life: MonthLife, what: str) -> None:
    to_accept, accepted = life.breaks("open"), life.breaks("accepted")
    if what.startswith("accept") and to_accept:
        life.accepts([number for number, _ in to_accept][: 1 if what == "accept one" else None])
    elif what == "open again" and accepted:
        life.opens_again(*accepted[0])


@LIVES
@given(drawn=lives(steps))
def test_each_morning_shows_what_differs_and_a_signed_month_what_changed(world: World, drawn: list[Any]) -> None:
    """Without a grace, so that what differs is a break in the same night."""
    life = begins(world, grace=0)
    decided: dict[str, int] = {}
    for day in drawn:
        lives_a_day(life, day)
        assert life.standing() == life.differing()
        assert {invoice for invoice, touches in decided.items() if len(life.touches[invoice]) == touches} <= life.named(
            "accepted"
        )
        changes = life.changes()
        assert life.flags() or not changes, changes
        assert not (life.is_quiet() and life.flags())

        decides(life, day[2])
        assert life.flags() or not life.changes(), life.changes()
        decided = {invoice: len(life.touches[invoice]) for invoice in life.named("accepted")}
        if day[3] and life.day > LAST + DAY:
            why = life.signs()
            to_settle = life.differing().keys() - life.named("accepted")
            if why is None:
                assert not {invoice for invoice in to_settle if life.is_of_the_month(invoice)}
            else:
                assert to_settle or why.endswith("already"), why


@LIVES
@given(drawn=lives(payments))
def test_no_month_is_signed_over_what_is_of_it_and_each_is_when_all_is_settled(world: World, drawn: list[Any]) -> None:
    """Within a grace of three days."""
    life = begins(world, grace=3)
    for day in drawn:
        lives_a_day(life, day)
        decides(life, day[2])
        if life.day > LAST + DAY and life.signs() is None:
            to_settle = life.differing().keys() - life.named("accepted")
            assert not {invoice for invoice in to_settle if life.is_of_the_month(invoice)}
    for _ in range(NIGHTS_OF_GRACE):
        life.passes()
    assert life.standing() == life.differing()
    life.passes(is_full=True)
    decides(life, "accept")
    why = life.signs()
    assert why is None or why.endswith("already")
