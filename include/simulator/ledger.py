"""A demo ERP's ledger in PostgreSQL: the data set's invoices as they are right at a moment, less known differences."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from importlib import resources
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import psycopg2

from include.simulator.differences import Difference, apply_differences, plan_differences
from include.simulator.ledger_entries import ledger_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from psycopg2.extensions import cursor as Cursor

    from include.simulator.dataset import Dataset
    from include.simulator.ledger_entries import LedgerEntry

__all__ = ["Difference", "plan_differences", "seed_ledger"]


def seed_ledger(
    dsn: str, dataset: Dataset, differences: Sequence[Difference] | None = None, *, as_of: datetime
) -> list[Difference]:
    """Fill the ERP's tables and its view `ropo_ledger` (the contract of include/erp/generic.sql), in one transaction.

    Called again with a later moment and the same differences it moves the ledger on; only changed rows are written.

    :param dsn: the ERP's database, with the right to create; grants to a reader are the caller's.
    :param dataset: its rows must be what the simulator's queue serves.
    :param differences: None plans them as of `as_of`; an empty list makes a spotless ledger.
    :param as_of: aware; outside the differences each invoice agrees with the rows recorded until then.
    :return: the differences that are in the ledger.
    :raises ValueError: when the data set is too small for the differences, or `as_of` has no zone.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    made = plan_differences(dataset, as_of) if differences is None else list(differences)
    entries = apply_differences(ledger_entries(dataset, as_of), made, ZoneInfo(dataset.timezone))
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        _lay_tables(cursor)
        _copy(cursor, "new_invoice", (_invoice_columns(entry) for entry in entries))
        _copy(cursor, "new_payment", (columns for entry in entries for columns in _payment_columns(entry)))
        cursor.execute(_sql("ledger_merge.sql"))
    return made


def _lay_tables(cursor: Cursor) -> None:
    """Only where they are not there yet: replacing the view would wait for every reader's transaction."""
    cursor.execute("SELECT to_regclass('ropo_ledger') IS NULL")
    if cursor.fetchone() == (True,):
        cursor.execute(_sql("ledger.sql"))
    for table in ("invoice", "payment"):
        cursor.execute(f"CREATE TEMPORARY TABLE new_{table} (LIKE erp.{table}) ON COMMIT DROP")


def _sql(name: str) -> str:
    return resources.files("include.simulator").joinpath(name).read_text(encoding="utf-8")


def _invoice_columns(entry: LedgerEntry) -> tuple[Any, ...]:
    return (
        entry.invoice_id,
        entry.billnum,
        entry.jobid,
        entry.customer,
        entry.status,
        entry.total,
        entry.credited,
        entry.open,
        entry.currency,
        entry.issued_on,
        entry.due_on,
        entry.sent_at,
        entry.changed_at,
        entry.print_service,
    )


def _payment_columns(entry: LedgerEntry) -> list[tuple[Any, ...]]:
    return [
        (entry.invoice_id, line, payment.kind, payment.amount, payment.booked_at)
        for line, payment in enumerate(entry.payments, start=1)
    ]


def _copy(cursor: Cursor, table: str, lines: Iterable[tuple[Any, ...]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(lines)
    buffer.seek(0)
    cursor.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv)", buffer)
