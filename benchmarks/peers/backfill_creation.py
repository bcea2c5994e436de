"""A backfill of `ropo_reconciliation` over many dates, as the UI's form makes it: from the request to its runs."""

from __future__ import annotations

import datetime

from airflow.models.backfill import ReprocessBehavior, _create_backfill
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from sqlalchemy import func, select

from benchmarks.measured import Meter, task

FIRST = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
DAG = "ropo_reconciliation"


def main() -> None:
    dates = task()["dates"]
    meter = Meter()
    with meter.work():
        _create_backfill(
            dag_id=DAG,
            from_date=FIRST,
            to_date=FIRST + datetime.timedelta(days=dates - 1),
            max_active_runs=10,
            reverse=False,
            dag_run_conf={},
            triggering_user_name=None,
            reprocess_behavior=ReprocessBehavior.NONE,
        )
    with create_session() as session:
        runs = session.scalar(select(func.count()).select_from(DagRun).where(DagRun.dag_id == DAG))
    if runs != dates:
        raise RuntimeError(f"the backfill made {runs} runs, not {dates}")
    meter.report(dates=dates)


if __name__ == "__main__":
    main()
