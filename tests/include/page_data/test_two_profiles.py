"""What the page shows of a profile is of it alone, whatever became of another one with the same invoice numbers."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from include.page_data.break_export import export_breaks
from include.page_data.break_knowledge import read_knowledge
from include.page_data.breaks import (
    BreakSelection,
    count_breaks,
    count_decided,
    read_break,
    read_break_sums,
    read_breaks,
)
from include.page_data.calendar import read_calendar, read_latest_dates
from include.page_data.dates import read_items, read_reconciliations
from include.page_data.drain_health import read_drain_health
from include.page_data.invoice import find_invoices, read_invoice
from include.page_data.needing import read_needing, read_never_compared
from include.page_data.open_breaks import read_open_breaks
from include.page_data.polls import is_settled, read_days, read_doubts, read_polls, read_quarantine
from include.page_data.signed_months import read_months, read_months_needing
from include.page_data.waiting import read_waiting
from include.reconciliation.item_selection import ItemSelection
from include.status_store.database import connect
from tests.include.reconciliation.life import live, trouble
from tests.include.reconciliation.month import APRIL, FIRST, HOUR, LAST, NOW
from tests.include.watch.test_two_profiles import IN_MAY, worlds

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from tests.include.reconciliation.world import World

__all__ = ["worlds"]
LATER = NOW + 5 * HOUR
STATES = [BreakSelection(state=state) for state in ("open", "accepted", "resolved")]


def _of_breaks(cursor: Cursor, world: World) -> list[object]:
    name = world.profile.name
    return [
        read_knowledge(cursor, [world.profile], LATER),
        count_breaks(cursor, name),
        [read_breaks(cursor, name, each) for each in STATES],
        [read_break_sums(cursor, [world.profile], each) for each in STATES],
        read_open_breaks(cursor, world.profile, LATER.date()),
        count_decided(cursor, name, by="Anna", kind="accepted", since=0),
        [read_break(cursor, name, number) for number in range(1, 30)],
    ]


def _of_dates(cursor: Cursor, world: World) -> list[object]:
    name, every = world.profile.name, ItemSelection(state="all", text="3")
    shown = [made for day in (FIRST, LAST, APRIL) for made in read_reconciliations(cursor, name, day)]
    return [
        shown,
        [read_items(cursor, name, made.reconciliation_id, every) for made in shown],
        read_calendar(cursor, name, until=APRIL, today=LATER.date(), start=FIRST),
        latest := read_latest_dates(cursor, [world.profile]),
        read_needing(cursor, [world.profile], LATER, latest),
        read_never_compared(cursor, world.profile),
        read_months(cursor, world.profile, IN_MAY),
        read_months_needing(cursor, [world.profile], IN_MAY),
    ]


def _of_invoices(cursor: Cursor, world: World) -> list[object]:
    name = world.profile.name
    named = [find_invoices(cursor, name, text) for text in ("3", "4", "9", "J3", "J9", "7")]
    return [named, [read_invoice(cursor, world.profile, key) for key in ("b:3", "b:4", "b:7", "b:9", "j:J9")]]


def _of_polls(cursor: Cursor, world: World) -> list[object]:
    name = world.profile.name
    return [
        read_days(cursor, world.profile, LATER.date()),
        read_polls(cursor, name, kind=None, outcome=None, below=None),
        read_doubts(cursor, name),
        [(bad.quarantine_id, bytes(bad.raw)) for bad in read_quarantine(cursor, name)],
        [is_settled(cursor, name, "dismissed", number, by="Anna") for number in range(1, 5)],
        read_waiting(cursor, [name], LATER),
        read_drain_health(cursor, world.profile, LATER),
    ]


def _shown(world: World) -> dict[str, object]:
    with closing(connect(world.store_dsn)) as store:
        exported = ["".join(export_breaks(store, world.profile, each)).splitlines()[3:] for each in STATES]
        with store.cursor() as cursor:
            shown = {each.__name__: each(cursor, world) for each in (_of_breaks, _of_dates, _of_invoices, _of_polls)}
    return {**shown, "exported": exported}


def test_what_another_profile_lives_through_changes_nothing_of_what_is_shown(worlds: tuple[World, World]) -> None:
    world, other = worlds
    before = _shown(world)

    for _ in live(other):
        pass
    trouble(other, LATER)

    for part, shown in _shown(world).items():
        assert shown == before[part], part
