"""A month of two dates, and what people do with it: what the tests of its sign-off share."""

from __future__ import annotations

import datetime
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from include.reconciliation.break_states import hold_breaks
from include.reconciliation.decisions import accept_breaks, reopen_breaks
from include.reconciliation.signing import PeriodStatus, accept_incompleteness, countersign, period_status, sign
from include.status_store.database import connect
from include.watch.signed import ChangedPeriods
from include.watch.verdicts import RedVerdicts
from tests.include.reconciliation.world import World, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import cursor as Cursor

    from include.reconciliation.recheck import Rechecked

MARCH = datetime.date(2026, 3, 1)
# The profile starts on the last Monday of March, so that the month has two dates.
FIRST, LAST = datetime.date(2026, 3, 30), datetime.date(2026, 3, 31)
APRIL = datetime.date(2026, 4, 2)
# After the grace of both.
NOW = at("2026-04-08 08:00")
HOUR = datetime.timedelta(hours=1)
# A re-read that may lack rows.
CUT = {"possibly_cut": True, "shown_complete": False, "completeness": "the date has 300 invoice numbers"}


def run(world: World, day: datetime.date, now: datetime.datetime = NOW, **options: Any) -> Any:
    """Reconcile a date of which everything is known."""
    return world.reconcile(day, now=now, reread_poll_id=world.know_all(day), **options)


def run_all(world: World) -> None:
    """Reconcile both dates, and compare in full after the month's end."""
    run(world, FIRST)
    run(world, LAST)
    run(world, LAST, scope="full")


@contextmanager
def transaction(world: World) -> Iterator[Cursor]:
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        yield cursor


def status(world: World, now: datetime.datetime = NOW) -> PeriodStatus:
    with transaction(world) as cursor:
        return period_status(cursor, world.profile, MARCH, now=now)


def unmet(world: World, now: datetime.datetime = NOW) -> list[tuple[datetime.date | None, str]]:
    return [(each.date, each.what) for each in status(world, now).unmet]


def signs(world: World, by: str = "Anna", now: datetime.datetime = NOW, shown: str | None = None) -> int:
    with transaction(world) as cursor:
        return sign(cursor, world.profile, MARCH, by=by, now=now, shown=shown)


def signs_for(world: World, name: str, period: datetime.date = MARCH) -> None:
    """Put a signature of another profile, or another month, on record, that rests on nothing."""
    with transaction(world) as cursor:
        hold_breaks(cursor, msgspec.structs.replace(world.profile, name=name))
        cursor.execute(
            "INSERT INTO ropo.period_sign_off (profile, period, signed_by, evidence) "
            """VALUES (%s, %s, 'Anna', '{"dates": [], "breaks": []}')""",
            (name, period),
        )


def countersigns(world: World, by: str = "Otto", shown: str | None = None) -> int:
    with transaction(world) as cursor:
        return countersign(cursor, world.profile, MARCH, by=by, now=NOW, shown=shown)


def accepts(world: World, *, by: str = "Anna", note: str = "known") -> list[int]:
    """Accept every open break."""
    ids = [row[0] for row in world.store("SELECT break_id FROM ropo.reconciliation_break WHERE state = 'open'")]
    with transaction(world) as cursor:
        accept_breaks(cursor, ids, by=by, note=note)
    return ids


def reopens(world: World) -> int:
    """Open every accepted break of the world's profile again; return how many."""
    accepted = "SELECT break_id FROM ropo.reconciliation_break WHERE state = 'accepted' AND profile = %s"
    ids = [row[0] for row in world.store(accepted, (world.profile.name,))]
    with transaction(world) as cursor:
        return reopen_breaks(cursor, ids, by="Otto", note="the wrong customer")


def owe(world: World, billnum: str = "1") -> None:
    """The ledger does not know of the payment."""
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = %s", (billnum,))


def found_by_full(world: World) -> None:
    """Both dates are right, and a full comparison finds an invoice that was not there when they were compared."""
    run(world, FIRST)
    run(world, LAST)
    world.payment("9", "100", "2026-03-30", seen=at("2026-03-30 09:00"))
    world.row("9", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    run(world, LAST, scope="full")


def signs_over_one_without_a_jobid(world: World) -> None:
    """March is signed over an accepted break of February, of an invoice that the ledger has no jobid of."""
    sent = at("2026-03-30 08:00")
    world.row("9", "paid", paid="100", jobid=None, sent_at=sent, changed_at=sent)
    run(world, FIRST, now=at("2026-03-31 08:00"))
    run_all(world)
    accepts(world)
    world.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    signs(world)


def renames_what_was_signed(world: World) -> None:
    """March is signed over an accepted break of February, whose invoice has a jobid, and so another name, in April."""
    signs_over_one_without_a_jobid(world)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J9', changed_at = '2026-04-02 08:00Z' WHERE billnum = '9'")
    run(world, APRIL, now=NOW + HOUR)


def books_wrongly(world: World, billnum: str) -> None:
    """In April the ledger books half of the payment as a discount: the invoice differs in another category."""
    world.ledger(
        "UPDATE ropo_ledger SET status = 'paid', paid = 50, discount = 50, open = 0, changed_at = '2026-04-02 08:00Z' "
        "WHERE billnum = %s",
        (billnum,),
    )
    run(world, APRIL, now=NOW + HOUR)


def flags(world: World) -> list[tuple[str, datetime.date]]:
    return [(flag.kind, flag.business_date) for flag in status(world).flags]


def night(day: datetime.date) -> datetime.datetime:
    """Half past one after a business date, in Helsinki."""
    return at(f"{day} 22:30")


def recheck(world: World, day: datetime.date, **options: Any) -> list[tuple[datetime.date, str | None, str]]:
    """The night after a business date: the dates of March that it records anew, what they were and what they are."""
    found: Rechecked = world.recheck(day, now=night(day), **options)
    return [
        (each.reconciliation.business_date, each.before, each.reconciliation.verdict)
        for each in found.changed
        if each.reconciliation.business_date <= LAST
    ]


def accepts_incompleteness(world: World, day: datetime.date = FIRST) -> int:
    """Accept that a date stays incomplete."""
    with transaction(world) as cursor:
        return accept_incompleteness(cursor, world.profile, day, by="Anna", note="Ropo says that it was all")


def sends(world: World, *billnums: str) -> None:
    """Invoices of the first date that Ropo One has had nothing to say of."""
    for billnum in billnums:
        world.row(billnum, sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))


def is_paid(world: World, billnum: str, day: datetime.date) -> None:
    """It is paid in full, and booked an hour later."""
    world.payment(billnum, "100", str(day), seen=at(f"{day} 10:00"))
    world.ledger(
        "UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0, changed_at = %s WHERE billnum = %s",
        (at(f"{day} 11:00"), billnum),
    )


def alerts(world: World, now: datetime.datetime = NOW) -> list[str]:
    """What the watch has to tell of signed months and of red dates of March."""
    with transaction(world) as cursor:
        topics = (ChangedPeriods(world.profile, now), RedVerdicts(world.profile, now))
        return [subject for topic in topics for subject in topic.found(cursor) if subject.startswith("2026-03")]


def is_sent_again(world: World) -> None:
    """Invoice 3 of the first date was sent twice, and Ropo One spoke of both jobs; the ledger names the newer one."""
    sent = at("2026-03-30 08:00")
    world.row("3", jobid="J302", sent_at=sent, changed_at=sent)
    for jobid, hour in (("J301", 9), ("J302", 10)):
        world.comment("3", "98", f"2026-03-30 {hour:02}:00", jobid=jobid, seen=at(f"2026-03-30 {hour:02}:00"))


@contextmanager
def nothing_in_the_ledger(world: World) -> Iterator[None]:
    """The ledger's SELECT returns no row meanwhile."""
    world.ledger("ALTER TABLE ropo_ledger RENAME TO hidden")
    world.ledger("CREATE TABLE ropo_ledger (LIKE hidden)")
    yield
    world.ledger("DROP TABLE ropo_ledger")
    world.ledger("ALTER TABLE hidden RENAME TO ropo_ledger")
