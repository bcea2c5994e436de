"""Ours: what `RopoStatusRereadOperator` does in its `execute`, on a date whose rows a drain brought but for a few."""

from __future__ import annotations

import datetime
import logging
import os

import airflow.providers.http.hooks.http
import airflow.sdk  # noqa: F401 - the memory is counted above an interpreter that has Airflow imported
import msgspec

from benchmarks.measured import Meter, task


def main() -> None:
    job = task()
    meter = Meter()
    from include.config.profiles import Profile
    from include.status_store.drain import Drain
    from include.status_store.journal import Journal
    from include.status_store.reread import Reread
    from ropo_one.hooks import RopoOneHook
    from ropo_one.store import open_store

    logging.basicConfig(filename=os.devnull, level=logging.INFO)
    journal = Journal(Profile(name="default"))
    date = datetime.date.fromisoformat(job["date"])
    with open_store() as session:
        hook = RopoOneHook()
        drained = Drain(session, hook, journal, max_pages=10_000, max_seconds=3600).run()
        hook.poll(date=date)  # the server makes an answer of this size once
        with meter.work():
            summary = Reread(session, hook, journal).by_date(date)
    if summary.new != job["lost"] or not summary.whole:
        raise RuntimeError(f"the re-read did not bring what the drain lost: {summary}")
    meter.report(
        rows=summary.rows,
        seconds_a_row_of_the_drain=drained.seconds / drained.rows,
        summary=msgspec.to_builtins(summary),
    )


if __name__ == "__main__":
    main()
