"""Bare SQL: the state by DISTINCT ON, then a FULL OUTER JOIN; no rules, no batches, no record of what was found."""

from __future__ import annotations

from pathlib import Path

import psycopg2

from benchmarks.measured import Meter, task


def main() -> None:
    job = task()
    meter = Meter()
    connection = psycopg2.connect(job["dsn"])
    with meter.work(), connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(Path(__file__).with_name("bare_comparison.sql").read_text(encoding="utf-8"))
        cursor.execute("SELECT category, count(*) FROM bare_result GROUP BY category")
        found = dict(cursor.fetchall())
    meter.report(differences=sum(found.values()))


if __name__ == "__main__":
    main()
