"""A profile's life in a store, step by step, with what happens to its invoices, and its books at any moment of it."""

from __future__ import annotations

import datetime
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2

from include.reconciliation.break_listing import BreakFilter, list_breaks
from include.reconciliation.decisions import accept_breaks
from include.reconciliation.export import export_items
from include.reconciliation.invoice import invoice_history
from include.reconciliation.item_selection import ItemSelection
from include.reconciliation.signing import SignOffError, accept_incompleteness
from include.reconciliation.unmapped import unmapped_of_profile
from include.status_store.database import connect
from include.watch.failed import note_failure
from tests.include.reconciliation.asking import KnowingSource, asking, payment
from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    LAST,
    NOW,
    countersigns,
    reopens,
    run,
    signs,
    status,
    transaction,
)
from tests.include.reconciliation.test_export import items_of
from tests.include.reconciliation.world import STATUS_MAP, at
from tests.include.status_store.views import column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from tests.include.reconciliation.world import World

FEBRUARY = at("2026-02-10 08:00")
TUESDAY, WEDNESDAY = at("2026-03-30 23:00"), at("2026-03-31 23:00")
ONE = datetime.timedelta(days=1)
_TABLES = """
SELECT DISTINCT table_name FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = 'ropo' AND column_name = 'profile' AND table_type = 'BASE TABLE' ORDER BY 1
"""
# Tables without a profile of their own, by that with which they go.
_PARTS = {
    "reconciliation_break_event": "reconciliation_break USING (break_id)",
    "period_sign_off_flag": "period_sign_off USING (sign_off_id)",
    "status_page": "status_poll USING (poll_id)",
    "status_poll_window_date": "status_poll USING (poll_id)",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+")
# What another profile's rows between ours may change: numbers of one sequence for all.
_NUMBERED = ("_id", "statusid", "evidence", "completeness", "about")


def settings(profile: Profile, name: str) -> Profile:
    """A profile that begins on the last two dates of March."""
    return msgspec.structs.replace(profile, name=name, start_date=FIRST, late_days=2, recheck_days=5, date_cap=5)


def live(world: World) -> Iterator[object]:
    """Live through March's last dates and April's first ones; yields after each step what was found in it."""
    sent = at("2026-03-30 08:00")
    for billnum in "12":
        day = FIRST if billnum == "1" else LAST
        world.row(billnum, "paid", paid="100", sent_at=sent, changed_at=sent)
        world.payment(billnum, "100", str(day), seen=at(f"{day} 09:00"))
    yield _found(run(world, FIRST, now=TUESDAY))
    # One the ledger does not know as paid, one that it has not, a job without a number, an unknown code, one that Ropo
    # has never spoken of, and one of long ago.
    world.row("3", sent_at=sent, changed_at=sent)
    for billnum in "34":
        world.payment(billnum, "100", str(FIRST), seen=at("2026-03-31 09:00"))
    world.payment(None, "100", str(FIRST), jobid="J9", seen=at("2026-03-31 09:00"))
    world.comment("6", "66", "2026-03-31 09:00", seen=at("2026-03-31 09:00"), statusref="Uusi tila")
    world.row("6", sent_at=sent, changed_at=sent)
    world.row("7", "paid", paid="50", total="50", sent_at=sent, changed_at=sent)
    world.row("8", sent_at=FEBRUARY, changed_at=sent)
    yield _found(run(world, LAST, now=WEDNESDAY))
    world.quarantine(b'{"billnum": "2", "statustime": "2026-03-31 10:00:00"}', at("2026-03-31 10:00"))
    yield _found(run(world, LAST, now=WEDNESDAY + HOUR))
    world.store(
        "UPDATE ropo.status_quarantine SET resolved_at = now(), resolution = 'dismissed' WHERE profile = %s",
        (world.profile.name,),
    )
    yield _rechecked(world, LAST + ONE, NOW - 4 * ONE)
    yield _rechecked(world, LAST + ONE, NOW)
    yield _found(run(world, LAST, scope="full"))
    yield _answers(world)
    # What is known by now is accepted, and what was mended is over.
    yield _accept(world, "b:3", "j:J9")
    world.row("4", "paid", paid="100", sent_at=sent, changed_at=at("2026-04-01 08:00"))
    yield _rechecked(world, LAST + ONE, NOW + HOUR)
    yield [(each.date, each.what, each.why) for each in status(world).unmet]
    world.row("9", jobid="J9", sent_at=sent, changed_at=at("2026-04-02 08:00"))
    yield _found(run(world, APRIL, now=NOW + HOUR))
    world.ledger("DELETE FROM ropo_ledger WHERE billnum = '4'")
    world.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '3'")
    yield _rechecked(world, LAST + ONE, NOW + 2 * HOUR)
    yield _answers(world)
    # Ropo is asked about what differs.
    source = KnowingSource(payment("7", "50", "2026-03-31", statusid="P99"))
    source.queue = ("ropo.example", world.profile.name)
    with asking(world, source) as inquiries:
        yield _found(run(world, FIRST, now=NOW + 2 * HOUR, inquiries=inquiries))
    # A re-read that is lacking makes the date incomplete, and that is accepted.
    yield _found(world.reconcile(LAST, now=NOW + 3 * HOUR))
    with transaction(world) as cursor:
        accept_incompleteness(cursor, world.profile, LAST, by="Anna", note="Ropo was down")
    yield _found(run(world, LAST, scope="full", now=NOW + 3 * HOUR))
    yield _accept(world)
    yield [(each.date, each.what, each.why) for each in status(world).unmet]
    yield _sign(world)
    world.ledger("UPDATE ropo_ledger SET paid = 2, open = 98 WHERE billnum = '3'")
    yield _found(run(world, FIRST, now=NOW + 4 * HOUR))
    yield [(flag.kind, flag.business_date, flag.note) for flag in status(world).flags]
    yield _answers(world)
    # Somebody thinks better of what was accepted.
    yield reopens(world)
    yield [(flag.kind, flag.business_date, flag.note) for flag in status(world).flags]
    yield [(each.date, each.what, each.why) for each in status(world).unmet]
    yield _rechecked(world, LAST + ONE, NOW + 5 * HOUR)
    yield _answers(world)


def trouble(world: World, now: datetime.datetime = NOW) -> None:
    """All that can wait for somebody: doubts, a poll left open, rows and pages that were not read, another consumer."""
    before = now - 3 * HOUR
    moments = {"opened_at": before, "closed_at": before}
    world.poll("drain", "empty", new_count=0, dag_id="ropo_status_drain", run_id="run 1", **moments)
    for recovery in ("pending", "unproven"):
        reason = {"recovery_reason": f"{recovery} of {world.profile.name}", "window_from": APRIL, "window_to": APRIL}
        world.poll("drain", "in_doubt", recovery=recovery, error="lost", **reason, **moments)
    world.poll("drain", "open", opened_at=before)
    world.poll("date", "landed", filter_value=str(APRIL), new_count=1, **moments)
    world.poll("drain", "landed", new_count=7, dag_id="ropo_status_drain", run_id="run 1", closed_at=now)
    world.quarantine(b'{"billnum": "3", "amount": "a lot"}', before)
    world.page(complete=True)
    values = (world.profile.name,)
    world.store(
        "INSERT INTO ropo.undrained_event (profile, statusid, shown_by_poll_id, empty_poll_id, noticed_at) "
        "SELECT profile, min(statusid), min(first_poll_id), min(first_poll_id), '2026-04-08 07:00Z' "
        "FROM ropo.status_event WHERE profile = %s GROUP BY profile",
        values,
    )
    world.store(
        "INSERT INTO ropo.status_event_revision (profile, statusid, revision, content_sha256, raw, poll_id) "
        "SELECT profile, statusid, 1, '', '{}', first_poll_id FROM ropo.status_event WHERE profile = %s",
        values,
    )
    with transaction(world) as cursor:
        note_failure(cursor, world.profile.name, "ropo_maintenance remove_pages", before)


def books(world: World) -> dict[str, list[dict[str, Any]]]:
    """What the store holds of a world's profile, but for what the clock or another profile's rows make of it."""
    with closing(connect(world.store_dsn)) as store:
        return books_of(store, world.profile.name)


def books_of(store: Connection, name: str) -> dict[str, list[dict[str, Any]]]:
    """What a store holds of a profile, likewise.

    :param store: a connection of the test's own.
    """
    found = {str(table): f"{table} WHERE profile = %s" for table in column(store, _TABLES)}
    found |= {part: f"{part} JOIN ropo.{whole} WHERE profile = %s" for part, whole in _PARTS.items()}
    tables = {}
    for table, which in found.items():
        [rows] = column(store, f"SELECT jsonb_agg(to_jsonb({table})) FROM ropo.{which}", (name,))
        plain = [{key: _plain(key, value) for key, value in row.items() if key != "profile"} for row in rows or ()]
        tables[table] = sorted(plain, key=str)
    return tables


def _plain(key: str, value: object) -> object:
    """What stands there, where another profile or the clock has no part in it; else whether anything does."""
    if key == "reasons" and isinstance(value, list):
        return [{name: _plain(name, said) for name, said in reason.items()} for reason in value]
    is_of_the_day = isinstance(value, str) and _MOMENT.match(value) is not None and value > "2026-05"
    return value is not None if key == "cid" or key.endswith(_NUMBERED) or is_of_the_day else value


def _found(result: Any) -> object:
    counts = (result.population, result.matched, result.pending, result.breaks, result.accepted, result.out_of_scope)
    reasons = [(reason.word, reason.text) for reason in result.reasons]
    return result.verdict, counts, reasons, result.unmapped, result.recovered


def _rechecked(world: World, before: datetime.date, now: datetime.datetime) -> object:
    done = world.recheck(before, now=now)
    return done.dates, done.items, [(each.before, _found(each.reconciliation)) for each in done.changed]


def _open(world: World) -> list[Any]:
    with transaction(world) as cursor:
        return list_breaks(cursor, BreakFilter(profile=world.profile.name))


def _accept(world: World, *invoices: str) -> int:
    """Accept the open breaks of these invoices, by default of all."""
    ids = [each.break_id for each in _open(world) if not invoices or each.invoice_key in invoices]
    with transaction(world) as cursor:
        return accept_breaks(cursor, ids, by="Anna", note="known", profile=world.profile.name)


def _sign(world: World) -> object:
    try:
        signs(world)
        countersigns(world)
    except SignOffError as error:
        return [each.why for each in error.unmet]
    return []


def _answers(world: World) -> object:
    """What people are shown."""
    name = world.profile.name
    with closing(connect(world.store_dsn)) as store, closing(psycopg2.connect(world.ledger_dsn)) as ledger:
        histories = [
            line.replace(f"profile {name}", "").partition("  (stored")[0]
            for billnum in "3479"
            for line in invoice_history(store, ledger, world.profile, STATUS_MAP, billnum, now=NOW)
            if "Break" not in line
        ]
        exported = [
            {name: cell for name, cell in item.items() if not name.endswith("_id")}
            for selection in (ItemSelection(), ItemSelection(state="all", text="3"))
            for item in items_of(
                "".join(export_items(store, world.profile, first=FIRST, last=LAST, selection=selection))
            )
        ]
        with store.cursor() as cursor:
            codes = unmapped_of_profile(cursor, world.profile, STATUS_MAP)
    listed = [(each.invoice_key, each.category, each.times_seen, each.amount) for each in _open(world)]
    return histories, exported, codes, listed
