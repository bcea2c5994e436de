"""Ours: the work of some dates as `ropo_reconciliation`'s tasks do it, in one process and without Airflow's runs."""

from __future__ import annotations

import datetime
from contextlib import closing

import airflow.providers.http.hooks.http
import airflow.sdk  # noqa: F401 - the memory is counted above an interpreter that has Airflow imported
import psycopg2

from benchmarks.measured import Meter, task


def main() -> None:
    job = task()
    meter = Meter()
    from include.config.profiles import load_profile
    from include.config.status_map import load_status_map
    from include.reconciliation.reconcile import reconcile
    from include.reconciliation.recorded import read_recorded
    from include.status_store.drain import Drain
    from include.status_store.journal import Journal
    from include.status_store.reread import Reread
    from ropo_one.hooks import RopoOneHook
    from ropo_one.store import open_store

    profile = load_profile("default")
    journal = Journal(profile)
    first = datetime.date.fromisoformat(job["first"])
    dates = [first + datetime.timedelta(days=day) for day in range(job["dates"])]
    verdicts, population = set(), 0
    with open_store() as session, closing(psycopg2.connect(job["dsn"])) as ledger:
        hook = RopoOneHook()
        # No date is green before the queue was seen empty after its end.
        Drain(session, hook, journal, max_pages=10, max_seconds=60).run()
        with meter.work():
            for date in dates:
                reread = Reread(session, hook, journal).by_date(date)
                found = reconcile(
                    session.connection,
                    ledger,
                    profile,
                    load_status_map(profile.status_map),
                    date,
                    reread_poll_id=reread.poll_id,
                )
                with session.transaction() as cursor:
                    verdicts.add(read_recorded(cursor, found.reconciliation_id).verdict)
                population += found.population
    meter.report(verdicts=sorted(verdicts), population=population)


if __name__ == "__main__":
    main()
