"""What a signature rests on is told as it was accepted by the time of the signature, whatever was decided since."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

from include.config.profiles import Profile
from include.page_data.rested_on import export_statement, read_acceptances, read_rested_on
from include.reconciliation.break_states import ITSELF
from include.reconciliation.signing import read_sign_off
from include.status_store.rows import named_rows
from tests.include.status_store.views import execute, query
from tests.include.watch.records import keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

PROFILE = Profile(name="default")
BEFORE, SIGNED, SINCE = (datetime.datetime(2026, 11, day, 12, tzinfo=datetime.UTC) for day in (22, 23, 24))
MONEY = {"ropo_paid": "60", "ropo_discount": "5", "ledger_paid": "20", "ledger_discount": "1"}
PAID = {"ropo_paid": "10", "ledger_paid": "10", "ledger_total": "100"}
ANEW = {"currency": "EUR", "reason": "total", "ropo_paid": "999"}
# Of each invoice: how its break is now, and since when; what was decided of it, when and by whom, the oldest first.
BREAKS: dict[str, tuple[str, datetime.datetime | None, list[tuple[str, datetime.datetime, str, dict[str, str]]]]] = {
    "b:anew": ("accepted", SINCE, [
        ("accepted", BEFORE, "Zoe", ANEW),
        ("accepted", BEFORE, "Bob", {**MONEY, "currency": "DKK", "reason": "status"}),
        ("commented", BEFORE, "Eve", ANEW),
        ("accepted", SINCE, "Eve", ANEW),
    ]),
    "b:credited": ("open", None, [("accepted", SIGNED, "Bob", {**PAID, "currency": "EUR", "ledger_credited": "30"})]),
    "b:open": ("open", None, [("accepted", BEFORE, "Bob", {**PAID, "currency": "EUR", "ledger_open": "7"})]),
    "b:then": ("accepted", SIGNED, [("accepted", BEFORE, "Zoe", ANEW), ("accepted", SIGNED, "Bob", ANEW)]),
    "b:even": ("accepted", BEFORE, []),
}  # fmt: skip


def kept(store: Connection) -> list[tuple[int, int]]:
    """Breaks of the profile, and one of another's; their ids as acceptances."""
    number = record(store, datetime.date(2026, 11, 20), "breaks")
    for key, (state, accepted_at, events) in BREAKS.items():
        keep_break(store, number, key, "ledger_behind", state, "8.00")
        execute(
            store,
            "UPDATE ropo.reconciliation_break SET reason = 'payment', evidence = '{\"ropo_paid\": \"8\"}', "
            "accepted_at = %s, accepted_by = CASE state WHEN 'accepted' THEN 'Anna' END WHERE invoice_key = %s",
            (accepted_at, key),
        )
        for kind, at, by, evidence in events:
            execute(
                store,
                "INSERT INTO ropo.reconciliation_break_event (break_id, at, by_whom, kind, note, evidence) "
                "SELECT break_id, %s, %s, %s, 'of ' || %s, %s FROM ropo.reconciliation_break WHERE invoice_key = %s",
                (at, by, kind, by, json.dumps(evidence), key),
            )
    other = record(store, datetime.date(2026, 11, 20), "breaks", profile="other")
    keep_break(store, other, "b:other", "ledger_behind", "accepted", "7777.00")
    return [(int(str(number)), 0) for (number,) in query(store, "SELECT break_id FROM ropo.reconciliation_break")]


def test_each_difference_is_as_it_was_accepted_last_by_the_signature(store: Connection) -> None:
    acceptances = kept(store)
    with store.cursor() as cursor:
        found = read_rested_on(cursor, PROFILE, acceptances, by_then=SIGNED)
        cursor.execute(*export_statement(PROFILE, acceptances, SIGNED))
        exported = named_rows(cursor)
    told = [
        (each.invoice_key, str(each.amount), each.currency, each.reason, each.accepted_by, each.is_accepted_anew)
        for each in found.named
    ]
    assert told == [
        ("b:credited", "60", "EUR", None, "Bob", False),
        ("b:anew", "44", "DKK", "status", "Bob", True),
        ("b:then", "8.00", "EUR", "payment", "Anna", False),
        ("b:even", "8.00", "EUR", "payment", "Anna", False),
        ("b:open", "7", "EUR", None, "Bob", False),
    ]
    assert [(each.currency, each.breaks, str(each.amount)) for each in found.sums] == [
        ("EUR", 4, "83.00"),
        ("DKK", 1, "44"),
    ]
    assert [each.accepted_note for each in found.named] == ["of Bob", "of Bob", "known", "known", "of Bob"]

    def of_row(row: dict[str, Any]) -> tuple[object, ...]:
        of_evidence = (str(row[name]) for name in ("ropo_paid", "ledger_credited"))
        return (row["invoice_key"], str(row["at_stake"]), row["currency"], row["accepted_at"], *of_evidence)

    assert [of_row(row) for row in exported] == [
        ("b:credited", "60", "EUR", SIGNED, "10", "30"),
        ("b:anew", "44", "DKK", BEFORE, "60", "None"),
        ("b:then", "8.00", "EUR", SIGNED, "8", "None"),
        ("b:even", "8.00", "EUR", BEFORE, "8", "None"),
        ("b:open", "7", "EUR", BEFORE, "10", "None"),
    ]
    assert [(row["reason"], row["accepted_by"], row["accepted_note"]) for row in exported] == [
        (each.reason, each.accepted_by, each.accepted_note) for each in found.named
    ]


def test_who_accepted_it_under_its_former_name_is_named_where_it_is_open_again(store: Connection) -> None:
    number = record(store, datetime.date(2026, 11, 20), "breaks")
    keep_break(store, number, "b:9", "ledger_behind", "open", "8.00")
    execute(
        store,
        "INSERT INTO ropo.reconciliation_break_event (break_id, at, by_whom, kind, note, evidence) "
        "SELECT break_id, %s, %s, 'accepted', 'as j:J9 by Anna: known, by Otto: since May', '{\"currency\": \"EUR\"}' "
        "FROM ropo.reconciliation_break",
        (BEFORE, ITSELF),
    )
    [(break_id,)] = query(store, "SELECT break_id FROM ropo.reconciliation_break")
    acceptances = [(int(str(break_id)), 0)]

    with store.cursor() as cursor:
        [found] = read_rested_on(cursor, PROFILE, acceptances, by_then=SIGNED).named

    assert (found.accepted_by, found.accepted_note) == ("Anna (when it was job J9)", "known, by Otto: since May")


def test_a_signature_names_each_acceptance_of_its_dates_and_of_its_full_comparison(store: Connection) -> None:
    """One that it does not say the event of is among them; what another signature names is not."""

    def stood(*acceptances: tuple[int, int]) -> dict[str, list[int]]:
        return {
            "accepted_breaks": [number for number, _ in acceptances],
            "accepted_by_events": [event for _, event in acceptances],
        }

    evidence = {"dates": [stood((1, 11)), stood((2, 12)), stood()], "full": stood((3, 13)), "breaks": [1, 2, 3, 4]}
    another = {"dates": [stood((1, 21))], "full": stood((5, 25)), "breaks": [1, 5]}
    execute(store, "INSERT INTO ropo.break_policy VALUES ('default', 'Europe/Helsinki', 1, 2, 3, 4)")
    for each in (another, evidence, another):
        execute(
            store,
            "INSERT INTO ropo.period_sign_off (profile, period, signed_by, evidence) VALUES (%s, %s, %s, %s)",
            ("default", "2026-10-01", "Anna", json.dumps(each)),
        )
    with store.cursor() as cursor:
        [_, sign_off, _] = sorted(query(store, "SELECT sign_off_id FROM ropo.period_sign_off"))
        found = read_sign_off(cursor, PROFILE, datetime.date(2026, 10, 1), int(str(sign_off[0])))
        assert found is not None
        assert sorted(read_acceptances(cursor, found)) == [(1, 11), (2, 12), (3, 13), (4, 0)]
