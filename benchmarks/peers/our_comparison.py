"""Ours: a full comparison as `ropo_reconciliation` makes it with `scope: full`, with its record and its breaks."""

from __future__ import annotations

import datetime
from contextlib import closing
from pathlib import Path

import airflow.sdk  # noqa: F401 - the memory is counted above an interpreter that has Airflow imported
import psycopg2

from benchmarks.measured import Meter, task

STATUS_MAP = Path(__file__).parents[2] / "include" / "simulator" / "status_map.yaml"


def main() -> None:
    job = task()
    meter = Meter()
    from include.config.profiles import Profile
    from include.config.status_map import load_status_map
    from include.reconciliation.reconcile import reconcile
    from include.status_store.database import connect

    profile = Profile(name="default")
    date = datetime.date.fromisoformat(job["date"])
    with closing(connect(job["dsn"])) as store, closing(psycopg2.connect(job["dsn"])) as ledger, meter.work():
        found = reconcile(store, ledger, profile, load_status_map(STATUS_MAP), date, scope=job["scope"])
    differences = {name: sum(of.values()) for name, of in found.categories.items() if name != "matched"}
    meter.report(population=found.population, differences=sum(differences.values()))


if __name__ == "__main__":
    main()
