"""Each column of the CSV of breaks, and each field of the page's, is what it is called."""

from __future__ import annotations

import csv
import datetime
import io
import json
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.page_data.break_export import export_breaks, export_rested_on
from include.page_data.breaks import BreakSelection, read_breaks
from include.reconciliation.break_states import ITSELF
from include.reconciliation.signing import read_sign_off
from include.status_store.database import connect
from tests.include.status_store.views import column, execute
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def lines(pieces: Iterable[str]) -> list[list[str]]:
    """The lines of a file, those of its head too."""
    return list(csv.reader(io.StringIO("".join(pieces).removeprefix("\ufeff"))))


def test_a_file_says_of_what_it_is_and_when_it_was_read_and_why_not_to_rest_on_it(
    store: Connection, store_dsn: str
) -> None:
    chosen = BreakSelection(category="ledger_behind")
    with connect(store_dsn) as session:
        begun = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
        nothing = lines(export_breaks(session, PROFILE, chosen))
        number = record(store, DATE, "breaks", breaks=(broken("12", "1"),))
        keep_break(store, number, "b:12", "ledger_behind", "open", "8.00")
        pieces = export_breaks(session, PROFILE, chosen)
        first = next(pieces)
        # What is committed while it is read is not in it: its head was read before.
        execute(store, "DELETE FROM ropo.reconciliation_break")
        found = lines([first, *pieces])
    assert [line[0] for line in nothing[:5]] == [
        "# breaks of profile", "# time zone", "# as of", "# not to be trusted as all there is", "# only breaks of",
    ]  # fmt: skip
    assert begun <= datetime.datetime.fromisoformat(nothing[2][1]).replace(tzinfo=PROFILE.zone)
    assert nothing[3][1:] == ["No date was compared yet."]
    assert [line[1:] for line in found[:2]] == [["default"], ["Europe/Helsinki"]]
    assert found[3] == ["# only breaks of", "state: open", "category: ledger_behind"]
    assert [line[-1] for line in found[4:]] == ["invoice_key", "b:12"]


@pytest.mark.parametrize(
    ("by", "note", "told"),
    [("Bob", "known", "Bob"), (ITSELF, "as b:11 by Bob: known", "Bob (when it was invoice 11)")],
    ids=["under its name", "under a former name"],
)
def test_what_a_signature_rests_on_is_in_its_file_as_it_was_signed_whatever_was_accepted_since(
    store: Connection, store_dsn: str, by: str, note: str, told: str
) -> None:
    before, signed, since = (datetime.datetime(2026, 12, day, 12, tzinfo=datetime.UTC) for day in (1, 2, 3))
    number = record(store, DATE, "breaks", breaks=(broken("12", "1"),))
    keep_break(store, number, "b:12", "ledger_behind", "open", "8.00")
    [break_id] = column(store, "SELECT break_id FROM ropo.reconciliation_break")
    unmapped = "2 rows with codes not in the map (0af), 5.00 in all"
    for moment, who, why, paid in ((before, by, note, "60"), (since, "Eve", "since", "999")):
        evidence = json.dumps({"currency": "EUR", "ropo_paid": paid, "further": unmapped})
        execute(
            store,
            "INSERT INTO ropo.reconciliation_break_event (break_id, at, by_whom, kind, note, evidence) "
            "VALUES (%s, %s, %s, 'accepted', %s, %s)",
            (break_id, moment, who, why, evidence),
        )
    accepted = {"accepted_breaks": [break_id], "accepted_by_events": []}
    execute(
        store,
        "INSERT INTO ropo.period_sign_off (profile, period, signed_by, signed_at, evidence) "
        "VALUES ('default', '2026-11-01', 'Zoe', %s, %s)",
        (signed, json.dumps({"dates": [accepted], "full": {}, "breaks": [break_id]})),
    )
    with connect(store_dsn) as session, store.cursor() as cursor:
        month = datetime.date(2026, 11, 1)
        sign_off = read_sign_off(cursor, PROFILE, month)
        every = lines(export_rested_on(session, PROFILE, month, sign_off=sign_off))
    head, names, row = every[3:6], every[6], every[7]
    found = dict(zip(names, row, strict=True))
    assert [line[0] for line in head] == ["# month", "# signed by", "# columns as of now"]
    assert (head[0][1], head[1][1], head[1][2][:16]) == ("2026-11", "Zoe", "2026-12-02 14:00")
    assert (found["ropo_paid"], found["at_stake"]) == ("60.00", "60.00")
    assert (found["accepted_by"], found["accepted_note"]) == (told, "known")
    assert (found["state"], found["what_to_do_next"]) == ("open", "")
    assert found["further"] == "2 rows with codes not in the status map, 5.00 in all"
