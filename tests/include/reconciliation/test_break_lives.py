"""Whatever becomes of the names of invoices, the breaks that stand are those that a comparison of everything shows."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.include.reconciliation.conftest import empty
from tests.include.reconciliation.differing import NEXT, accept
from tests.include.reconciliation.month import run
from tests.include.reconciliation.world import DAY, World, at

if TYPE_CHECKING:
    from collections.abc import Callable

AT_FIRST = at("2026-03-12 00:00")
AT_LAST = at("2026-04-20 08:00")
# Few names for many things, as in test_properties.py.
billnums = st.sampled_from(("1", "1", "1", "2"))
jobids = st.sampled_from(("7", "7", "8", None))
days = st.sampled_from((DAY, NEXT))


def _says(world: World, cluster: str, drawn: st.DataObject) -> None:
    """Ropo One says that an invoice is paid, or only something."""
    billnum, jobid, day = drawn.draw(billnums), drawn.draw(jobids), drawn.draw(days)
    job, seen = jobid and jobid + cluster, at(f"{day} 10:00")
    if drawn.draw(st.booleans()):
        world.comment(billnum + cluster, "98", f"{day} 09:00", jobid=job, seen=seen)
    else:
        world.payment(billnum + cluster, "100", str(day), jobid=job, seen=seen)


def _books(world: World, cluster: str, drawn: st.DataObject) -> None:
    """The ledger has one more row."""
    billnum, jobid, day = drawn.draw(billnums), drawn.draw(jobids), drawn.draw(days)
    is_paid = drawn.draw(st.booleans())
    world.row(
        billnum + cluster,
        "paid" if is_paid else "open",
        paid="100" if is_paid else "0",
        jobid=jobid and jobid + cluster,
        changed_at=at(f"{day} 08:00"),
    )


def _removes(world: World, cluster: str, drawn: st.DataObject) -> None:
    world.ledger("DELETE FROM ropo_ledger WHERE billnum = %s", (drawn.draw(billnums) + cluster,))


def _names(world: World, cluster: str, drawn: st.DataObject) -> None:
    """The ERP stores another jobid, or none."""
    billnum, jobid = drawn.draw(billnums), drawn.draw(jobids)
    values = (jobid and jobid + cluster, billnum + cluster)
    world.ledger("UPDATE ropo_ledger SET jobid = %s WHERE billnum = %s", values)


def _mends(world: World, cluster: str, drawn: st.DataObject) -> None:
    values = (drawn.draw(billnums) + cluster,)
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = %s", values)


STEPS: tuple[Callable[[World, str, st.DataObject], None], ...] = (_says, _books, _removes, _names, _names, _mends)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.data())
def test_what_stands_is_what_a_comparison_of_everything_shows(world: World, drawn: st.DataObject) -> None:
    empty(world.store_dsn, world.ledger_dsn)
    world = World(world.store_dsn, world.ledger_dsn, world.profile)
    # Many invoices an example: an example costs reconciliations.
    clusters = [f"-{number}" for number in range(8)]
    for cluster in clusters:
        for step in (_says, _books, *drawn.draw(st.lists(st.sampled_from(STEPS[:2]), max_size=2))):
            step(world, cluster, drawn)
    now = AT_FIRST
    for day in (DAY, NEXT):
        run(world, day, now=now)
    runs = drawn.draw(st.lists(st.tuples(days, st.sampled_from(("date", "full"))), max_size=3))
    for day, scope in (*runs, (NEXT, "full")):
        now += datetime.timedelta(days=5)
        run(world, day, now=now, scope=scope)
        if drawn.draw(st.booleans()):
            accept(world)
        for cluster in clusters:
            for step in drawn.draw(st.lists(st.sampled_from(STEPS), max_size=2)):
                step(world, cluster, drawn)
    for at_last in (AT_LAST, AT_LAST + datetime.timedelta(days=7)):
        everything = run(world, NEXT, now=at_last, scope="full")
    assert _standing(world) == _shown(world.items(everything))


def _standing(world: World) -> set[tuple[Any, ...]]:
    return set(
        world.store("SELECT invoice_key, category, state FROM ropo.reconciliation_break WHERE state <> 'resolved'")
    )


def _shown(items: dict[str, dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {
        (key, item["category"], "accepted" if item["is_accepted"] else "open")
        for key, item in items.items()
        if item["category"] != "matched"
    }
