"""What the page tells of a decision is what the store has of it."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from include.config.profiles import Profile
from include.page_data.break_knowledge import read_knowledge
from include.page_data.breaks import BreakCounts, BreakSelection, count_breaks, count_decided, read_break_sums
from tests.include.status_store.views import column
from tests.include.watch.records import keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.page_data.breaks import Decided

DATE = datetime.date(2026, 11, 20)
NOW = datetime.datetime(2026, 11, 21, 8, tzinfo=datetime.UTC)
STATES = {"b:1": "accepted", "b:2": "open", "b:3": "open", "b:4": "accepted", "b:5": "resolved"}
# The oldest first. What was accepted of b:2, and opened again of b:1, is not so any more.
DECISIONS = [
    ("b:1", "Anna", "reopened"), ("b:2", "Anna", "accepted"), ("b:1", "Anna", "accepted"), ("b:3", "Anna", "reopened"),
    ("b:4", "Bob", "accepted"), ("b:3", "Anna", "commented"), ("b:5", "Anna", "commented"),
    ("b:3", "Anna", "commented"),
]  # fmt: skip


def decided(store: Connection, profile: str = "default") -> dict[str | None, int]:
    """Breaks with what was decided of them; the id of each by its invoice."""
    number = record(store, DATE, "breaks", profile=profile)
    for key, state in STATES.items():
        keep_break(store, number, key, "ledger_behind", state)
    ids = column(store, "SELECT jsonb_object_agg(invoice_key, break_id) FROM ropo.reconciliation_break")[0]
    with store.cursor() as cursor:
        for key, by, kind in DECISIONS:
            cursor.execute(
                "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note) "
                "SELECT break_id, %s, %s, 'known' FROM ropo.reconciliation_break "
                "WHERE invoice_key = %s AND profile = %s",
                (by, kind, key, profile),
            )
    return dict(ids)


def test_a_decision_is_counted_by_who_made_it_once_a_break_and_while_it_stands(store: Connection) -> None:
    ids = decided(store)
    decided(store, profile="other")
    asked: list[tuple[Decided, str, int, str | None, int]] = [
        ("accepted", "Anna", 0, None, 1), ("reopened", "Anna", 0, None, 1), ("commented", "Anna", 0, None, 2),
        ("accepted", "Anna", 2, "b:1", 1), ("accepted", "Anna", 3, "b:1", 0), ("commented", "Anna", 6, None, 2),
        ("commented", "Anna", 7, None, 1), ("commented", "Anna", 0, "b:5", 1), ("accepted", "Bob", 0, None, 1),
        ("commented", "Bob", 0, None, 0),
    ]  # fmt: skip
    with store.cursor() as cursor:
        found = [
            (kind, by, since, of, count_decided(cursor, "default", by=by, kind=kind, since=since, break_id=ids.get(of)))
            for kind, by, since, of, _ in asked
        ]
    assert found == asked


def test_breaks_and_their_newest_event_are_their_profiles(store: Connection) -> None:
    decided(store)
    decided(store, profile="other")
    with store.cursor() as cursor:
        found = [count_breaks(cursor, name) for name in ("default", "third")]
    assert found == [
        BreakCounts(states={"accepted": 2, "open": 2, "resolved": 1}, newest_event=len(DECISIONS)),
        BreakCounts(states={}, newest_event=0),
    ]


def test_what_is_at_stake_is_summed_by_profile_and_currency_and_what_is_not_known_is_counted(store: Connection) -> None:
    shown = [record(store, DATE, "breaks", profile=name) for name in ("default", "other")]
    for number, key, amount, currency in (
        (shown[0], "b:1", "5", "EUR"), (shown[0], "b:2", "6", "EUR"), (shown[0], "b:3", "0", "EUR"),
        (shown[0], "b:4", "7", "DKK"), (shown[1], "b:1", "8", "EUR"),
    ):  # fmt: skip
        keep_break(store, number, key, "missing_in_ledger", "open", amount, currency=currency)
    profiles = [Profile(name=name) for name in ("default", "other")]
    with store.cursor() as cursor:
        sums = read_break_sums(cursor, profiles, BreakSelection())
    told = {
        name: [(each.currency, each.breaks, each.amount, each.unknown) for each in found]
        for name, found in sums.items()
    }
    assert told == {
        "default": [("EUR", 3, Decimal(11), 1), ("DKK", 1, Decimal(7), 0)],
        "other": [("EUR", 1, Decimal(8), 0)],
    }


def test_a_list_rests_on_what_was_compared_last_of_its_own_profile(store: Connection) -> None:
    record(store, DATE, "incomplete", reasons=("ledger_empty",))
    record(store, DATE, profile="other")
    record(store, DATE - datetime.timedelta(days=1), "incomplete", reasons=("ledger_empty",), profile="other")
    record(store, DATE, reasons=("doubt",), profile="sees")
    record(store, DATE, "breaks", profile="sees")
    with store.cursor() as cursor:
        found = read_knowledge(cursor, [Profile(name=name) for name in ("default", "other", "sees", "none")], NOW)
    told = {name: (each.is_compared, each.ledger_empty_on) for name, each in found.items()}
    assert told == {
        "default": (True, DATE),
        "other": (True, DATE - datetime.timedelta(days=1)),
        "sees": (True, None),
        "none": (False, None),
    }
