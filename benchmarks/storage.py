"""How much the store holds: ``python -m benchmarks.storage``. Prints the figures of the table in ``docs/storage.md``.

Thirty made-up days of the simulator are drained by the real drain, the real recheck compares each of them once, and the
sizes, tables and indexes apart, are taken from PostgreSQL after a VACUUM (FULL, ANALYZE).
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from include.config.profiles import Profile
from include.config.status_map import load_status_map
from include.reconciliation.recheck import recheck
from include.simulator.dataset import make_dataset
from include.status_store.database import connect
from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.migrate import upgrade
from include.status_store.session import Session
from include.status_store.source import Answer
from local_airflow import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = datetime.date(2026, 3, 1)
DAYS = 30
SEED = 7
PAGE_ROWS = 1000
_LEDGER = """
CREATE TABLE ropo_ledger (
    billnum text, jobid text, status text, total numeric, paid numeric, discount numeric, credited numeric,
    open numeric, currency text, sent_at timestamptz, changed_at timestamptz, payments_by_ropo boolean
)
"""
_STORED_EACH_DAY = """
UPDATE ropo.status_event SET first_seen_at = (statustime::date + time '23:00') AT TIME ZONE 'Europe/Helsinki';
DELETE FROM ropo.event_day;
SELECT ropo.note_days()
"""
_SIZES = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid)
FROM pg_class
WHERE relnamespace = 'ropo'::regnamespace AND relkind = 'r'
  AND relname IN ('event_day', 'status_event', 'status_page', 'status_poll', 'reconciliation_item')
ORDER BY relname
"""


class _Pages:
    """Hands the rows over page by page, then 204."""

    queue = ("storage.example", "1000011")

    def __init__(self, rows: list[dict[str, object]]) -> None:
        self._pages: Iterator[list[dict[str, object]]] = (
            rows[start : start + PAGE_ROWS] for start in range(0, len(rows), PAGE_ROWS)
        )

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:  # noqa: ARG002 - the protocol's
        rows = next(self._pages, None)
        if rows is None:
            return Answer(http_status=204)
        body = json.dumps({"result": {"status": rows}}, ensure_ascii=False).encode()
        return Answer(http_status=200, body=body, content_type="application/json")


def main(arguments: list[str]) -> int:
    """Measure and print.

    :param arguments: of the command line, which takes none.
    """
    argparse.ArgumentParser(prog="python -m benchmarks.storage", description=__doc__).parse_args(arguments)
    rows = [each.row for each in make_dataset(SEED, FIRST, DAYS).rows]
    profile = Profile(name="storage", start_date=FIRST)
    with tempfile.TemporaryDirectory() as folder, embedded.shared(Path(folder), durable=False) as server:
        server.provision()
        store, ledger = (server.dsn(server.fresh_database(name)) for name in ("storage", "ledger"))
        upgrade(store)
        with closing(psycopg2.connect(ledger)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(_LEDGER)
        with Session(lambda: connect(store)) as session:
            Drain(session, _Pages(rows), Journal(profile), max_pages=10**6, max_seconds=3600).run()
        with closing(connect(store)) as reading, closing(psycopg2.connect(ledger)) as booked:
            # Every date of the month, each with the invoices of its events.
            with reading.cursor() as cursor:
                cursor.execute("UPDATE ropo.profile_pin SET pinned_at = %s", (FIRST,))
                # All is stored on one day here, which would put every invoice into that day's population.
                cursor.execute(_STORED_EACH_DAY)
            reading.commit()
            end = FIRST + datetime.timedelta(days=DAYS)
            now = datetime.datetime.combine(end + datetime.timedelta(days=9), datetime.time(), datetime.UTC)
            done = recheck(reading, booked, profile, load_status_map(profile.status_map), end, now=now)
            reading.autocommit = True
            with reading.cursor() as cursor:
                cursor.execute("VACUUM (FULL, ANALYZE)")
                cursor.execute("SELECT count(*), count(DISTINCT billnum) FROM ropo.status_event")
                events, invoices = cursor.fetchone() or (0, 0)
                cursor.execute(_SIZES)
                sizes = cursor.fetchall()
    sys.stdout.write(f"{events} events of {invoices} invoices, {done.items} items of {done.dates} dates\n")
    for name, table, indexes in sizes:
        units = done.items if name == "reconciliation_item" else events
        table_mb, index_mb = (round(size / units) for size in (table, indexes))  # bytes a row are MB a million
        sys.stdout.write(f"| `{name}` | {table_mb} | {index_mb} | {table_mb + index_mb} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
