"""Comparing both sides: ours beside `datacompy` and bare SQL on the same tables; a day in a small and a large store."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2

from benchmarks.environments import peer_python
from benchmarks.report import Line
from benchmarks.rounds import Contestant, alternate, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.stage import Stage

OURS, DATACOMPY, BARE = "ours", "datacompy (pandas)", "bare SQL"
WITH_HISTORY, WITHOUT_JOBIDS = "ours, of a store with a history", "ours, of a ledger without jobids"
# A ledger's row is there before Ropo One speaks of it, so that the date on which an invoice is sent has it by its row.
_HISTORY = """
INSERT INTO ropo.reconciliation_item (
    reconciliation_id, invoice_key, profile, billnum, jobid, category, event_count, ledger_row_count, currency
)
SELECT -1, 'j:' || jobid, 'default', billnum, jobid, 'matched', 0, 1, currency
FROM ropo_ledger;
ANALYZE ropo.reconciliation_item
"""
_NO_JOBIDS = "UPDATE ropo_ledger SET jobid = NULL"
_HERE = Path(__file__).parent
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'ropo' AND tablename = 'status_event' AND indexname <> 'status_event_pkey'
"""
# On it the made-up data has a day's invoices like any other.
DATE = "2026-04-01"
DAY = 5_000


def bench(stage: Stage, *, invoices: int, rounds: int) -> list[Line]:
    """Let each contestant compare all invoices on the same tables.

    :param invoices: with about five events each.
    """
    print(f"Comparison of {invoices:,} invoices", flush=True)
    contestants = [
        Contestant(OURS, "our_comparison"),
        Contestant(BARE, "bare_comparison"),
        Contestant(DATACOMPY, "datacompy_comparison", peer_python("datacompy")),
    ]
    with filled(stage, "comparison_data.sql", invoices=invoices) as database:
        task = {"dsn": stage.server.dsn(database), "scope": "full", "date": DATE}
        results = alternate(
            contestants, lambda each: compare_all(each, task, stage.variables(database), invoices), rounds
        )
        for name, change in ((WITH_HISTORY, _HISTORY), (WITHOUT_JOBIDS, _NO_JOBIDS)):
            _change(stage.server.dsn(database), change)
            results |= alternate(
                [Contestant(name, "our_comparison")],
                lambda each: compare_all(each, task, stage.variables(database), invoices),
                rounds,
            )
    ours, lines = results[OURS], []
    for name, goal in ((DATACOMPY, "≥ 4 times as fast"), (BARE, "≤ 1.5 of its time")):
        other = results[name]
        ratio = other.ratio(ours) if name == DATACOMPY else ours.ratio(other)
        lines.append(
            Line(
                f"full comparison of {invoices:,} invoices with {invoices * 48 // 10:,} events, recorded",
                f"{ours.median():.1f} s, {ours.median('memory_mb'):.0f} MB",
                f"{name}: {other.median():.1f} s, {other.median('memory_mb'):.0f} MB",
                f"{ratio:.2f}" + (" times as fast" if name == DATACOMPY else " of its time"),
                goal,
                ratio >= 4 if name == DATACOMPY else ratio <= 1.5,
            )
        )
    others = {
        "the same, where each invoice was compared before Ropo One spoke of it": (WITH_HISTORY, "where none was"),
        "the same again, where the ERP stores no jobids": (WITHOUT_JOBIDS, "where none was, and it stores them"),
    }
    for what, (name, against) in others.items():
        other = results[name]
        lines.append(
            Line(
                what,
                f"{other.median():.1f} s, {other.median('memory_mb'):.0f} MB",
                f"{against}: {ours.median():.1f} s",
                f"{other.ratio(ours):.2f} of its time",
            )
        )
    return lines


def _change(dsn: str, statements: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statements)


def bench_day(stage: Stage, *, small: int, large: int, rounds: int) -> list[Line]:
    """Compare the same day in a small and in a large store.

    :param small: and ``large``: invoices in the two stores, of which :data:`DAY` each moved on the compared date.
    """
    print(f"A day of {DAY:,} invoices with {small:,} and with {large:,} in the store", flush=True)
    stores = {f"{invoices:,} in the store": invoices for invoices in (small, large)}
    with (
        filled(stage, "day_data.sql", invoices=small, day=DAY) as small_store,
        filled(stage, "day_data.sql", invoices=large, day=DAY) as large_store,
    ):
        databases = dict(zip(stores, (small_store, large_store), strict=True))
        results = alternate(
            [Contestant(name, "our_comparison") for name in stores],
            lambda each: compare_day(stage, databases[each.name], each, DAY),
            rounds,
        )
    few, many = results.values()
    ratio = many.ratio(few)
    return [
        Line(
            f"a day of {DAY:,} invoices, {large:,} in the store",
            f"{many.median():.2f} s",
            f"{few.name}: {few.median():.2f} s",
            f"{ratio:.2f}",
            "≤ 1.2",
            ratio <= 1.2,
        )
    ]


def compare_all(
    contestant: Contestant, task: dict[str, Any], variables: dict[str, str], invoices: int
) -> dict[str, Any]:
    """Compare everything once, and make sure that the differences that were put in were found.

    :param invoices: of which one in five hundred differs in the ledger.
    """
    result = run(contestant, task, variables)
    if result["differences"] != invoices // 500:
        raise RuntimeError(f"{contestant.name}: expected {invoices // 500} invoices to differ, got {result}")
    return result


def compare_day(stage: Stage, database: str, contestant: Contestant, day: int) -> dict[str, Any]:
    """Compare the date once, and make sure that it was its invoices that were compared.

    :param database: filled from ``day_data.sql``.
    :param day: how many invoices moved on the date.
    """
    task = {"dsn": stage.server.dsn(database), "scope": "date", "date": DATE}
    result = run(contestant, task, stage.variables(database))
    if (result["population"], result["differences"]) != (day, 0):
        raise RuntimeError(f"{contestant.name}: expected {day} invoices without a difference, got {result}")
    return result


@contextmanager
def filled(stage: Stage, file: str, **sizes: int) -> Iterator[str]:
    """A store with made-up events and, in the same database, a ledger; by the database's name.

    :param file: the SQL that fills it; ``sizes``: its parameters.
    """
    with stage.store() as database, closing(psycopg2.connect(stage.server.dsn(database))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_INDEXES)
            indexes = cursor.fetchall()
            for name, _ in indexes:
                cursor.execute(f"DROP INDEX ropo.{name}")
            cursor.execute((_HERE / file).read_text(encoding="utf-8"), sizes)
            cursor.execute("SET maintenance_work_mem = '256MB'")
            for _, definition in indexes:
                cursor.execute(definition)
            cursor.execute("VACUUM ANALYZE")
        yield database
