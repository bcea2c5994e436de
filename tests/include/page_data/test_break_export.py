"""Each column of the CSV of breaks, and each field of the page's, is what it is called."""

from __future__ import annotations

import csv
import datetime
import io
import json
from typing import TYPE_CHECKING

from include.config.profiles import Profile
from include.page_data.break_export import export_breaks
from include.page_data.breaks import BreakSelection, read_breaks
from include.status_store.database import connect
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 11, 20)
PROFILE = Profile(name="default")
SIDES = {
    "ropo_status": "paid", "ledger_status": "unpaid", "ledger_word": "posted", "ropo_paid": "1.00",
    "ropo_discount": "2.00", "ledger_total": "3.00", "ledger_paid": "4.00", "ledger_discount": "5.00",
    "ledger_credited": "6.00", "ledger_open": "7.00", "further": "open, total 9",
}  # fmt: skip
MOMENTS = {
    "first_seen": "2026-11-21T02:00:00+02:00", "last_seen": "2026-11-22T03:00:00+02:00",
    "accepted_at": "2026-11-23T04:00:00+02:00",
}  # fmt: skip
OTHERS = {
    "billnum": "12", "jobid": "J7", "category": "ledger_behind", "state": "accepted", "business_date": str(DATE),
    "currency": "SEK", "hint": "near", "times_seen": "3", "accepted_by": "Bob", "accepted_note": "the bank's fee",
    "invoice_key": "b:12",
}  # fmt: skip


def kept(store: Connection) -> int:
    """An accepted break without two columns alike, which another comparison showed first, and another profile's."""
    record(store, DATE, "breaks", breaks=(broken("12", "10.00", hint="long ago"),))
    number = record(store, DATE, "breaks", breaks=(broken("12", "10.00", hint="near"),))
    for seen_by in (number, record(store, DATE, "breaks", profile="other")):
        keep_break(store, seen_by, "b:12", "ledger_behind", "accepted", "8.00", currency="SEK")
    execute(
        store,
        "UPDATE ropo.reconciliation_break SET billnum = '12', jobid = 'J7', reason = 'payment', evidence = %(sides)s, "
        "first_seen = %(first_seen)s, last_seen = %(last_seen)s, times_seen = 3, accepted_at = %(accepted_at)s, "
        "accepted_by = 'Bob', accepted_note = 'the bank''s fee'",
        {**MOMENTS, "sides": json.dumps(SIDES)},
    )
    return number


def test_what_differs_stands_under_its_own_name_in_the_file(store: Connection, store_dsn: str) -> None:
    kept(store)
    with connect(store_dsn) as session:
        text = "".join(export_breaks(session, PROFILE, BreakSelection(state="accepted")))
    names, *rows = (row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) if not row[0].startswith("#"))
    [found] = (dict(zip(names, row, strict=True)) for row in rows)
    days = (datetime.datetime.now(PROFILE.zone).date() - DATE).days
    assert int(found.pop("age_days")) in (days, days - 1)
    told = {name: cell for name, cell in found.items() if name in {**SIDES, **OTHERS}}
    assert told == {**SIDES, **OTHERS, "accepted_note": "the bank's fee"}
    assert {name: found[name][:16].replace(" ", "T") for name in MOMENTS} == {
        name: moment[:16] for name, moment in MOMENTS.items()
    }
    rest = ("at_stake", "resolved_at", "what_to_do_next", "severity", "reason")
    assert [found[name] for name in rest] == ["8.00", "", "", "medium", "Ropo is further in payment"]


def test_and_so_does_it_on_the_page(store: Connection) -> None:
    number = kept(store)
    # Its own date was compared with all others alone; what has a date of its own is another one.
    for profile, date, scope in (("other", DATE, "date"), ("default", "2026-11-19", "date"), ("default", DATE, "full")):
        values = (profile, date, scope, number, "v1", MOMENTS["last_seen"])
        execute(store, "INSERT INTO ropo.reconciled_date VALUES (%s, %s, %s, %s, %s, %s)", values)
    with store.cursor() as cursor:
        [found] = read_breaks(cursor, "default", BreakSelection(state="accepted")).rows
    assert {name: str(getattr(found, name)) for name in OTHERS} == OTHERS
    for name, moment in MOMENTS.items():
        assert getattr(found, name) == datetime.datetime.fromisoformat(moment), name
    assert (found.evidence, str(found.amount), found.resolved_at, found.shown_in) == (SIDES, "8.00", None, number)
