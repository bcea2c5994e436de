"""What the store itself guarantees of breaks and sign-offs, whoever writes to it."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg2
import pytest

from tests.include.watch.records import record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

DAY = datetime.date(2026, 11, 10)


@pytest.fixture
def break_id(store: Connection) -> int:
    """One open break, with an event, of a profile with the shipped thresholds."""
    reconciliation_id = record(store, DAY, "breaks", break_count=1)
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO ropo.break_policy VALUES ('default', 'Europe/Helsinki', 100, 1000, 3, 10)")
        cursor.execute(
            "INSERT INTO ropo.reconciliation_break (profile, invoice_key, category, state, business_date, currency, "
            "amount, evidence, first_seen, last_seen, times_seen, first_reconciliation_id, last_reconciliation_id) "
            "VALUES ('default', 'b:1', 'ledger_behind', 'open', %s, 'EUR', 1, '{}', now(), now(), 1, %s, %s) "
            "RETURNING break_id",
            (DAY, reconciliation_id, reconciliation_id),
        )
        (break_id,) = cursor.fetchone() or (0,)
        cursor.execute(
            "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind) "
            "VALUES (%s, 'reconciliation', 'opened')",
            (break_id,),
        )
    return int(break_id)


@pytest.mark.parametrize(
    ("amount", "age", "severity"),
    [
        ("99.99", 2, "low"),
        ("100", 0, "medium"),
        ("0", 3, "medium"),
        ("999.99", 9, "medium"),
        ("1000", 0, "high"),
        ("0", 10, "high"),
    ],
)
def test_either_of_amount_and_age_makes_a_break_severe(
    store: Connection, break_id: int, amount: str, age: int, severity: str
) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation_break SET amount = %s, "
            "business_date = (now() AT TIME ZONE 'Europe/Helsinki')::date - %s",
            (amount, age),
        )
        cursor.execute("SELECT age_days, severity FROM ropo.break_today WHERE severity = %s", (severity,))
        assert cursor.fetchall() == [(age, severity)]


def test_a_resolved_break_has_the_age_that_it_was_resolved_at(store: Connection, break_id: int) -> None:
    with store.cursor() as cursor:
        # Half past midnight in Helsinki.
        cursor.execute(
            "UPDATE ropo.reconciliation_break SET state = 'resolved', business_date = '2026-01-01', "
            "resolved_at = '2026-01-04 22:30+00'"
        )
        cursor.execute("SELECT age_days, severity FROM ropo.break_today")
        assert cursor.fetchall() == [(4, "medium")]


def test_severities_sort_by_their_weight(store: Connection) -> None:
    with store.cursor() as cursor:
        cursor.execute("SELECT each FROM unnest(enum_range(NULL::ropo.severity)) AS each ORDER BY each DESC")
        assert [row[0] for row in cursor.fetchall()] == ["high", "medium", "low"]


@pytest.mark.parametrize(
    ("paid", "at_stake"),
    [
        ("100, 2, 60, 1, 500, 0, NULL", 41),
        ("60, 0, 100, NULL, 500, 0, 400", 40),
        ("95, 5, 100, 0, 500, 0, NULL", 5),  # the sums agree, what of them is discount does not
        ("99.99, 0, 99.99, 0, 100, 0, 0.01", "0.01"),  # the sides agree on money: what is open is at stake
        ("50, 2, 50, 2, 100, 8, NULL", 40),
        ("0, 0, 0, 0, 100, 0, NULL", 100),
        ("100, 0, 100, 0, 100, 0, 0", 100),  # nothing is open: all of the invoice
        ("100, 0, 100, 0, -500, NULL, NULL", 500),
        ("NULL, NULL, NULL, NULL, NULL, NULL, NULL", 0),
    ],
)
def test_at_stake_is_what_differs_or_what_is_open_or_the_whole_invoice(
    store: Connection, paid: str, at_stake: str | int
) -> None:
    with store.cursor() as cursor:
        cursor.execute(f"SELECT ropo.amount_at_stake({paid})")
        assert cursor.fetchone() == (Decimal(at_stake),)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ropo.reconciliation_break_event SET note = 'x'",
        "DELETE FROM ropo.reconciliation_break_event",
        "TRUNCATE ropo.reconciliation_break CASCADE",
        "DELETE FROM ropo.reconciliation_break",
        "DELETE FROM ropo.reconciliation",
        "TRUNCATE ropo.reconciliation CASCADE",
        "DELETE FROM ropo.incompleteness_acceptance",
        "DELETE FROM ropo.period_sign_off_flag",
        "DELETE FROM ropo.period_sign_off",
        "UPDATE ropo.period_sign_off SET signed_by = 'Otto'",
        "UPDATE ropo.period_sign_off SET countersigned_by = ' ANNA ', countersigned_at = now()",
    ],
)
def test_history_cannot_be_changed(store: Connection, break_id: int, change: str) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off (profile, period, signed_by, evidence) "
            "VALUES ('default', '2026-11-01', 'Anna', '{}')"
        )
        with pytest.raises(psycopg2.Error, match=r"append-only|only ever countersigned|violates"):
            cursor.execute(change)


def test_a_sign_off_is_countersigned_once(store: Connection, break_id: int) -> None:
    countersign = "UPDATE ropo.period_sign_off SET countersigned_by = %s, countersigned_at = now()"
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off (profile, period, signed_by, evidence) "
            "VALUES ('default', '2026-11-01', 'Anna', '{}')"
        )
        cursor.execute(countersign, ("Otto",))
        with pytest.raises(psycopg2.errors.RaiseException, match="once"):
            cursor.execute(countersign, ("Pia",))


@pytest.mark.parametrize("note", [None, "", " "])
def test_nobody_opens_a_break_again_without_a_note(store: Connection, break_id: int, note: str | None) -> None:
    reopened = (
        "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, reconciliation_id) "
        "VALUES (%s, 'Otto', 'reopened', %s, %s)"
    )
    with store.cursor() as cursor:
        cursor.execute("SELECT first_reconciliation_id FROM ropo.reconciliation_break")
        (found_by,) = cursor.fetchone() or (0,)
        cursor.execute(reopened, (break_id, note, found_by))
        with pytest.raises(psycopg2.errors.CheckViolation):
            cursor.execute(reopened, (break_id, note, None))


@pytest.mark.parametrize(("kind", "of_break"), [("break_opened", True), ("result_changed", False)])
def test_only_what_a_person_opened_again_is_flagged_without_a_reconciliation(
    store: Connection, break_id: int, kind: str, *, of_break: bool
) -> None:
    flag = (
        "INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, break_id, note) "
        "SELECT sign_off_id, %s, %s, %s, 'x' FROM ropo.period_sign_off"
    )
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off (profile, period, signed_by, evidence) "
            "VALUES ('default', '2026-11-01', 'Anna', '{}')"
        )
        cursor.execute(flag, ("break_reopened", DAY, break_id))
        with pytest.raises(psycopg2.errors.CheckViolation):
            cursor.execute(flag, (kind, DAY, break_id if of_break else None))
