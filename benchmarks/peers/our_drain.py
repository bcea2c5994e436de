"""Ours: what `RopoStatusDrainOperator` does in its `execute`."""

from __future__ import annotations

import logging
import os

import airflow.providers.http.hooks.http
import airflow.sdk  # noqa: F401 - the memory is counted above an interpreter that has Airflow imported
import msgspec

from benchmarks.measured import Meter, task
from include.config.profiles import Profile


def main() -> None:
    task()
    meter = Meter()
    from include.status_store.drain import Drain
    from include.status_store.journal import Journal
    from ropo_one.hooks import RopoOneHook
    from ropo_one.store import open_store

    logging.basicConfig(filename=os.devnull, level=logging.INFO)
    journal = Journal(Profile(name="default"))
    with open_store() as session:
        drain = Drain(session, RopoOneHook(), journal, max_pages=10_000, max_seconds=3600)
        with meter.work():
            summary = drain.run()
    if summary.stopped_by != "empty" or summary.new != summary.rows:
        raise RuntimeError(f"the drain did not bring the queue over: {summary}")
    meter.report(rows=summary.rows, summary=msgspec.to_builtins(summary))


if __name__ == "__main__":
    main()
