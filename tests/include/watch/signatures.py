"""Signatures of months, and what changed after them, as the store keeps them: without the conditions of a sign-off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.include.watch.records import record

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import connection as Connection


def sign(
    store: Connection,
    period: str = "2026-10-01",
    countersigned_by: str | None = None,
    *,
    signed_by: str = "Anna",
    profile: str = "default",
) -> int:
    """Sign a month; the sign-off's id."""
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.break_policy VALUES (%s, 'Europe/Helsinki', 1, 2, 3, 4) ON CONFLICT DO NOTHING",
            (profile,),
        )
        cursor.execute(
            "INSERT INTO ropo.period_sign_off "
            "(profile, period, signed_by, countersigned_by, countersigned_at, evidence) "
            "SELECT %s, %s, %s, who, CASE WHEN who IS NOT NULL THEN now() END, '{\"breaks\": []}' "
            "FROM (VALUES (%s)) AS other (who) RETURNING sign_off_id",
            (profile, period, signed_by, countersigned_by),
        )
        return int((cursor.fetchone() or (0,))[0])


def flag(store: Connection, sign_off_id: int, date: datetime.date, profile: str = "default") -> None:
    """Another result of a date was found after a sign-off."""
    reconciliation_id = record(store, date, profile=profile)
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, note) "
            "VALUES (%s, 'result_changed', %s, %s, 'x')",
            (sign_off_id, date, reconciliation_id),
        )
